const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** Bands of an age: below `until` it is shown in `big`, with the rest in `small` when that is not zero. */
const bands: readonly { until: number; big: [number, string]; small?: [number, string] }[] = [
  { until: 2 * minute, big: [second, 's'] },
  { until: 10 * minute, big: [minute, 'm'], small: [second, 's'] },
  { until: 3 * hour, big: [minute, 'm'] },
  { until: 8 * hour, big: [hour, 'h'], small: [minute, 'm'] },
  { until: 2 * day, big: [hour, 'h'] },
  { until: 8 * day, big: [day, 'd'], small: [hour, 'h'] },
  { until: 730 * day, big: [day, 'd'] },
  { until: 8 * 365 * day, big: [365 * day, 'y'], small: [day, 'd'] },
  { until: Number.POSITIVE_INFINITY, big: [365 * day, 'y'] },
];

/** A duration as kubectl shows ages: `5s`, `3m20s`, `2d4h`. Clocks may disagree by two seconds. */
export function formatAge(ageMs: number): string {
  if (ageMs <= -2 * second) return '<invalid>';
  const age = Math.max(0, ageMs);
  const band = bands.find((one) => age < one.until) ?? { big: [365 * day, 'y'] as const };
  const [unit, name] = band.big;
  const whole = `${Math.floor(age / unit)}${name}`;
  const small = 'small' in band ? band.small : undefined;
  if (small === undefined) return whole;
  const rest = Math.floor((age % unit) / small[0]);
  return rest === 0 ? whole : `${whole}${rest}${small[1]}`;
}

/** Age of an RFC 3339 instant, `<unknown>` when it is not one. */
export function ageOf(instant: unknown, nowMs: number): string {
  const at = typeof instant === 'string' ? Date.parse(instant) : Number.NaN;
  return Number.isNaN(at) ? '<unknown>' : formatAge(nowMs - at);
}
