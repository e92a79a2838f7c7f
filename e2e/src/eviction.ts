import type { Kubectl } from './kubectl.ts';

/** What the API server said to an eviction. */
export interface EvictionAnswer {
  /** 201 = the pod is on its way out, 429 = a budget forbids it. */
  readonly code: number;
  readonly message: string;
}

/**
 * Asks for the eviction of pods, as `kubectl drain` does, without its waiting and trying again.
 *
 * @param ask is given what evicts one pod; the way to the API server is closed when it has ended
 */
export async function withEvictions(
  kubectl: Kubectl,
  ask: (evict: (namespace: string, pod: string) => Promise<EvictionAnswer>) => Promise<void>,
): Promise<void> {
  const proxy = kubectl.start(['proxy', '--port=0']);
  try {
    const port = await new Promise<string>((resolve, reject) => {
      let said = '';
      proxy.stdout?.on('data', (text) => {
        said += String(text);
        const found = /127\.0\.0\.1:(\d+)/.exec(said)?.[1];
        if (found !== undefined) resolve(found);
      });
      proxy.once('close', (code) => reject(new Error(`kubectl proxy ended with ${code}: ${said}`)));
    });
    await ask(async (namespace, name) => {
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/namespaces/${namespace}/pods/${name}/eviction`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } }),
      });
      const { message = '' } = (await answer.json()) as { message?: string };
      return { code: answer.status, message };
    });
  } finally {
    proxy.kill();
  }
}
