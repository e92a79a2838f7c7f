/** Calls, and says how long it took until the answer. */
export async function timed<T>(call: () => Promise<T>): Promise<{ readonly ms: number; readonly answer: T }> {
  const startMs = performance.now();
  const answer = await call();
  return { ms: performance.now() - startMs, answer };
}
