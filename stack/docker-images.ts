/** The images of the stack: Kafka's published one, and our own, built once from stack/Dockerfile. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GenericContainer, getContainerRuntimeClient, ImageName } from 'testcontainers';

/** Any image with Kafka's jars in /opt/kafka/libs, `java` on the PATH and a shell. */
export const kafkaImage = (): string => process.env['IMMUTRAIL_KAFKA_IMAGE'] ?? 'apache/kafka:4.1.0';

const sources = ['Dockerfile', 'go.mod', 'go.sum', 'cmd/registry/main.go'] as const;

const tagOf = async (): Promise<string> => {
  const hash = createHash('sha256');
  for (const file of sources) hash.update(file).update(await readFile(join(import.meta.dirname, file)));
  return hash.digest('hex').slice(0, 12);
};

/** The name of the image, which is there when the promise resolves. The first build takes two to three minutes. */
export const ownImage = async (
  target: 'immudb' | 'registry' | 'toxiproxy',
  onProgress?: (step: string) => void,
): Promise<string> => {
  const name = `immutrail-stack/${target}:${await tagOf()}`;
  const { image } = await getContainerRuntimeClient();
  if (await image.exists(ImageName.fromString(name))) return name;
  onProgress?.(`building the image of ${target}`);
  await GenericContainer.fromDockerfile(import.meta.dirname, 'Dockerfile')
    .withTarget(target)
    .withBuildkit()
    .build(name, { deleteOnExit: false });
  return name;
};
