import { expect, test } from '@jest/globals';
import { Registry } from 'prom-client';

import { registerPools } from './pools.ts';

test("images' pools are one series each: there is one more pool with each digest", async () => {
  const registry = new Registry();
  const pools = ['image-1', 'image-2', 'nodejs24.x'].map((pool, index) => {
    return { pool, generic: index + 1, claimed: 10, held: 0, suspect: 0, missing: index };
  });
  registerPools(registry, () => ({ pools }));
  for (const _scrape of [1, 2]) {
    const text = await registry.metrics();
    expect(text).toContain('kappa_gateway_pods{pool="image",state="generic"} 3');
    expect(text).toContain('kappa_gateway_pods{pool="image",state="claimed"} 20');
    expect(text).toContain('kappa_gateway_pods{pool="nodejs24.x",state="generic"} 3');
    expect(text).toContain('kappa_gateway_missing_pods{pool="image"} 1');
    expect(text).not.toContain('image-');
  }
});
