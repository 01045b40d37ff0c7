/** The number of the last thing in a list that counts from 1, when all one can ask is whether something comes after a number. */
export async function last(hasAfter: (seq: number) => Promise<boolean>): Promise<number> {
  let low = 0;
  let high = 64;
  while (await hasAfter(high)) [low, high] = [high, high * 4];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (await hasAfter(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
