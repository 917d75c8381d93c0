/** The tests that a page names, each in a line of its own. */
export const testsIn = (text: string) =>
  [...text.matchAll(/^- `(test\/[^`]+)`: (.+)$/gm)].map(([, file = '', name = '']) => ({ file, name }));

/** As it stands in the source, behind the word that makes it a test that runs. */
export const isTest = (source: string, name: string): boolean =>
  ["'", '"', '`'].some((quote) =>
    source
      .split(`${quote}${name}${quote}`)
      .slice(0, -1)
      .some((before) => /\btest(\.each\((?:(?!\btest\b)[\s\S])*\))?\(\s*$/.test(before)),
  );
