/** Edit distance (Levenshtein, two rows). */
export const distance = (a: string, b: string): number => {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const here = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (above[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      here.push(Math.min(replaced, (above[column] ?? 0) + 1, (here[column - 1] ?? 0) + 1));
    }
    above = here;
  }
  return above[b.length] ?? 0;
};

/** The known word that was probably meant: less than two fifths of it differ, or it only lacks its end. */
export const nearest = (given: string, known: readonly string[]): string | undefined => {
  const ranked = known
    .map((word) => ({ word, cost: word.startsWith(given) ? 1 : distance(given.toLowerCase(), word.toLowerCase()) }))
    .sort((a, b) => a.cost - b.cost);
  const best = ranked[0];
  return best && best.cost <= Math.max(2, best.word.length * 0.4) ? best.word : undefined;
};
