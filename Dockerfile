# The pipeline: docker build -t immutrail .
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN node_modules/.bin/tsc -p tsconfig.build.json

# The lock file brings Node itself for machines without it; this image has one. The other optional packages are the
# codecs' own binaries.
FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev && rm -rf node_modules/node-linux-* node_modules/.bin

FROM node:24-bookworm-slim
ENV NODE_ENV=production \
    MALLOC_MMAP_THRESHOLD_=131072 \
    IMMUTRAIL_HTTP_HOST=0.0.0.0 \
    IMMUTRAIL_LEDGER_TRUSTED_STATE_FILE=/var/lib/immutrail/state.json
WORKDIR /app
RUN mkdir -p /var/lib/immutrail && chown node:node /var/lib/immutrail
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json ./
USER node
VOLUME /var/lib/immutrail
EXPOSE 9464
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.IMMUTRAIL_HTTP_PORT ?? 9464}/livez`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--max-old-space-size=128", "--max-semi-space-size=8", "dist/main.js"]
CMD ["run"]
