/** Those whose words start with what was typed, best first; all of them for nothing. */
export function rank<T>(text: string, items: T[], words: (item: T) => string): T[] {
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  const scored = items.map((item) => {
    const hay = words(item).toLowerCase();
    const score = wanted.reduce((sum, word) => {
      const at = hay.indexOf(word);
      if (at < 0) return -Infinity;
      return sum + (at === 0 ? 3 : hay[at - 1] === " " ? 2 : 1);
    }, 0);
    return { item, score };
  });
  const kept = scored.filter(({ score }) => score > -Infinity);
  return kept.sort((a, b) => b.score - a.score).map(({ item }) => item);
}
