const factors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The number that a Kubernetes quantity (`500m`, `128Mi`, `1e3`, 2) stands for; null when it is none. */
export function parseQuantity(quantity: unknown): number | null {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec(String(quantity ?? ''));
  if (match === null) return null;
  if (match[2] !== undefined) return Number(`${match[1]}${match[2]}`);
  return Number(match[1]) * (factors[match[3] ?? ''] ?? Number.NaN);
}
