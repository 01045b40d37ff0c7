/** Curves: smoothing that keeps its scale, and what fits on a screen. */

/** Exponential moving average, corrected for its start (Kingma and Ba 2015, section 3); gaps stay gaps. */
export function smooth(values: (number | null)[], weight: number): (number | null)[] {
  let mean = 0;
  let mass = 0;
  return values.map((value) => {
    if (value === null || !Number.isFinite(value)) return null;
    mean = weight * mean + (1 - weight) * value;
    mass = weight * mass + (1 - weight);
    return mean / mass;
  });
}

/** Puts curves with different steps on one axis; null where a curve has no point. */
export function align(curves: [number, number][][]): (number | null)[][] {
  const steps = [...new Set(curves.flatMap((curve) => curve.map(([step]) => step)))].sort((a, b) => a - b);
  const columns = curves.map((curve) => {
    const at = new Map(curve);
    return steps.map((step) => at.get(step) ?? null);
  });
  return [steps, ...columns];
}
