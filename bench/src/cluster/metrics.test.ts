import { expect, test } from '@jest/globals';
import { parseMetrics, total } from './metrics.ts';

const text = `# HELP a_total What it is.
# TYPE a_total counter
a_total{function="x y",namespace="default"} 12
a_total{function="z",namespace="default"} 3
b_seconds_sum 0.25
b_seconds_bucket{le="+Inf"} 7
`;

test('series are found by name and labels', () => {
  const metrics = parseMetrics(text);
  expect(metrics.get('a_total{function="x y",namespace="default"}')).toBe(12);
  expect(metrics.get('b_seconds_sum')).toBe(0.25);
  expect(metrics.get('b_seconds_bucket{le="+Inf"}')).toBe(7);
  expect(metrics.size).toBe(4);
});

test('a series that some gateways lack counts as 0 there', () => {
  expect(total([parseMetrics(text), new Map()], 'b_seconds_sum')).toBe(0.25);
});
