import { GetFunctionCommand, type LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { functions } from '@kappa/crds/client/kinds';
import { connect, type Kubernetes } from '@kappa/crds/client/kubernetes';
import { parseFunction } from '@kappa/crds/function';
import { asSigner } from '../api-client.ts';
import { BenchPlatform, inlineFunction, until } from '../bench-platform.ts';
import type { Row } from '../figure.ts';
import { percentile } from '../stats.ts';
import { timed } from '../timed.ts';

const count = 10_000;
/** Made at the same time. */
const atOnce = 8;
const getsPerRound = 200;
const pageSize = 50;

const nameOf = (index: number): string => `read-${String(index).padStart(5, '0')}`;

/** Times of one thing by the Lambda API, and of the API server's answer below it; milliseconds. */
interface Times {
  readonly api: number[];
  readonly below: number[];
}

/**
 * What it takes to read the Lambda API of an install with 10,000 functions, by the AWS SDK, its own work and the check of its signature included, one call after
 * the other. Beside each call: what the gateway asks the (embedded) API server for it, asked directly.
 */
export async function apiReads(rounds: number): Promise<readonly Row[]> {
  const kappa = await BenchPlatform.start({ KAPPA_AUTH: 'sigv4' });
  try {
    const kubernetes = connect(kappa.kubeconfig);
    return await asSigner(kappa, async (client) => {
      await makeFunctions(kappa, kubernetes);
      return measure(client, kubernetes, rounds);
    });
  } finally {
    await kappa.stop();
  }
}

async function measure(client: LambdaClient, kubernetes: Kubernetes, rounds: number): Promise<readonly Row[]> {
  const gets: Times = { api: [], below: [] };
  const walks: Times[] = [];
  for (let round = 0; round <= rounds; round++) {
    const got = await readMany(client, kubernetes, round * getsPerRound);
    const walk = await walkPages(client, kubernetes);
    if (round === 0) continue;
    gets.api.push(...got.api);
    gets.below.push(...got.below);
    walks.push(walk);
  }
  return [getRow(gets), listRow(walks)];
}

/** Resolves when the gateway routes to all of them. */
async function makeFunctions(kappa: BenchPlatform, kubernetes: Kubernetes): Promise<void> {
  let next = 0;
  const makeSome = async (end: number): Promise<void> => {
    while (next < end) {
      const { spec } = parseFunction(inlineFunction(nameOf(next), 'nodejs24.x'));
      const metadata = { namespace: 'default', name: nameOf(next) };
      next += 1;
      await kubernetes.create(functions, { metadata, spec });
    }
  };
  for (let end = 500; end <= count; end += 500) {
    await Promise.all(Array.from({ length: atOnce }, () => makeSome(end)));
    await until(`${end} functions are routed`, async () => (await routedBy(kappa)) >= end, 250);
  }
}

/** Function versions that calls may reach. */
async function routedBy(kappa: BenchPlatform): Promise<number> {
  const metrics = await (await fetch(`${kappa.url}/metrics`)).text();
  return Number(/^kappa_gateway_entries\{map="targets"\} (\d+)$/m.exec(metrics)?.[1] ?? Number.NaN);
}

async function readMany(client: LambdaClient, kubernetes: Kubernetes, from: number): Promise<Times> {
  const times: Times = { api: [], below: [] };
  for (let call = 0; call < getsPerRound; call++) {
    const FunctionName = nameOf(((from + call) * 7919) % count); // all over the list
    times.api.push((await timed(() => client.send(new GetFunctionCommand({ FunctionName })))).ms);
    times.below.push((await timed(() => kubernetes.get(functions, 'default', FunctionName))).ms);
  }
  return times;
}

/** All pages, from the first to the last. @throws Error when they have not every function */
async function walkPages(client: LambdaClient, kubernetes: Kubernetes): Promise<Times> {
  const times: Times = { api: [], below: [] };
  let marker: { readonly Marker?: string } | null = {};
  let from: string | null = '';
  let seen = 0;
  while (marker !== null && from !== null) {
    const input: { readonly Marker?: string } = marker;
    const page = await timed(() => client.send(new ListFunctionsCommand({ ...input, MaxItems: pageSize })));
    const { Functions = [], NextMarker } = page.answer;
    const options: { readonly namespace: string; readonly limit: number; readonly from: string } = {
      namespace: 'default',
      limit: pageSize,
      from,
    };
    const below = await timed(() => kubernetes.page(functions, options));
    times.api.push(page.ms);
    times.below.push(below.ms);
    seen += Functions.length;
    marker = NextMarker === undefined ? null : { Marker: NextMarker };
    from = below.answer.next;
  }
  if (seen !== count) throw new Error(`ListFunctions has shown ${seen} of ${count} functions`);
  return times;
}

function getRow({ api, below }: Times): Row {
  const p50 = percentile(api, 0.5);
  return {
    figure: `GetFunction, AWS SDK, ${count} functions`,
    measured: spread(api),
    floor: `GET of the API server ${spread(below)}`,
    target: 'p50 ≤ 5 ms',
    isMet: p50 <= 5,
  };
}

/** Each page is judged by the median of its rounds: what a neighbour has delayed is another page in each of them. */
function listRow(walks: readonly Times[]): Row {
  const pages =
    walks[0]?.api.map((_, at) =>
      percentile(
        walks.map(({ api }) => api[at] ?? Number.NaN),
        0.5,
      ),
    ) ?? [];
  const slowest = Math.max(...pages);
  return {
    figure: `ListFunctions, AWS SDK, ${pages.length} pages of ${pageSize}`,
    measured: `slowest page ${slowest.toFixed(1)} ms; all ${spread(walks.flatMap(({ api }) => api))}`,
    floor: `pages of the API server ${spread(walks.flatMap(({ below }) => below))}`,
    target: 'each page ≤ 50 ms',
    isMet: slowest <= 50,
  };
}

function spread(values: readonly number[]): string {
  const [p50, p99] = [percentile(values, 0.5), percentile(values, 0.99)];
  return `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)}, worst ${Math.max(...values).toFixed(1)}`;
}
