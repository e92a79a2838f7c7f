import { aliases, eventSourceMappings, functions, type Kind, layers } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import type { Manifest, ObjectMeta } from '@kappa/crds/object-meta';

import { makeCode } from '../dispatch/testing-agent.ts';
import { fetchOnce, until } from '../testing.ts';
import type { TestGateway } from '../testing-install.ts';

/** Who writes: the Lambda API of two gateways, and kubectl in its two ways. */
export const writers = ['first gateway', 'second gateway', 'patch', 'apply'] as const;
/** One of {@link writers}. */
export type Writer = (typeof writers)[number];
/** Those of the Lambda API. */
export const lambda = ['first gateway', 'second gateway'] as const;
const kubectl = ['patch', 'apply'] as const;

/** Something that a writer sets. With several writers each adds something of its own. */
export interface Field<T> {
  readonly writers: readonly Writer[];
  /** Sets it for the nth time. @returns what is true of the object from then on, until the same writer sets it again */
  readonly set: (by: Writer, n: number) => Promise<(object: T) => boolean>;
}

/** An object that was made to be written to. */
export interface Made<T> {
  readonly fields: readonly Field<T>[];
  /** As it is stored. */
  readonly read: () => Promise<T>;
}

type Of<K> = K extends Kind<infer T> ? T : never;

/** Makes objects of each kind, and says what can be written to them. */
export class TestWriters {
  readonly #kubernetes: Kubernetes;
  readonly #gateways: readonly TestGateway[];
  readonly #zip: string;

  private constructor(kubernetes: Kubernetes, gateways: readonly TestGateway[], zip: string) {
    this.#kubernetes = kubernetes;
    this.#gateways = gateways;
    this.#zip = zip;
  }

  static async of(kubernetes: Kubernetes, gateways: readonly TestGateway[]): Promise<TestWriters> {
    const { zip } = await makeCode({ 'index.mjs': 'export const handler = () => 1;' });
    return new TestWriters(kubernetes, gateways, zip.toString('base64'));
  }

  /** A request to one of the gateways, tried again while an update is under way, as every tool does. @throws Error for any other refusal */
  async api(by: Writer, method: string, path: string, body: object): Promise<Readonly<Record<string, unknown>>> {
    const { port } = this.#gateways[by === 'first gateway' ? 0 : 1] ?? { port: 0 };
    let answer: Readonly<Record<string, unknown>> = {};
    const isDone = async (): Promise<boolean> => {
      const reply = await fetchOnce(port, { method, path, body: JSON.stringify(body) });
      answer = reply.body.length === 0 ? {} : JSON.parse(String(reply.body));
      if (reply.status === 409 && /in progress|following state/.test(String(answer['message']))) return false;
      if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.status} ${reply.body}`);
      return true;
    };
    await until(isDone, () => `${method} ${path} stays refused: ${JSON.stringify(answer)}`);
    return answer;
  }

  /** What CreateFunction takes. */
  creationOf(name: string): object {
    const code = { Runtime: 'nodejs24.x', Handler: 'index.handler', Code: { ZipFile: this.#zip } };
    return { FunctionName: name, Role: 'arn:aws:iam::000000000000:role/any', ...code };
  }

  /** A function; answers its path. */
  async function(name: string): Promise<string> {
    await this.api('first gateway', 'POST', '/2015-03-31/functions', this.creationOf(name));
    return `/2015-03-31/functions/${name}`;
  }

  async ofFunction(name: string): Promise<Made<Of<typeof functions>>> {
    const path = await this.function(name);
    const read = () => this.#kubernetes.get(functions, 'default', name);
    return { read, fields: [...this.#settings(name, path), ...this.#lists(name, path)] };
  }

  async ofAlias(name: string): Promise<Made<Of<typeof aliases>>> {
    const path = await this.function(name);
    await this.api('first gateway', 'POST', `${path}/versions`, {});
    await this.api('first gateway', 'PUT', `${path}/configuration`, { Description: 'next' });
    await this.api('first gateway', 'POST', `${path}/versions`, {});
    await this.api('first gateway', 'POST', `${path}/aliases`, { Name: 'live', FunctionVersion: '1' });
    const url = `/2021-10-31/functions/${name}/url?Qualifier=live`;
    await this.api('first gateway', 'POST', url, { AuthType: 'NONE' });
    const alias = `${path}/aliases/live`;
    const fields: Field<Of<typeof aliases>>[] = [
      this.#put(
        'first gateway',
        alias,
        (n) => ({ Description: `d${n}` }),
        ({ spec }, n) => spec.description === `d${n}`,
      ),
      this.#put(
        'second gateway',
        alias,
        (n) => ({ RoutingConfig: { AdditionalVersionWeights: { 2: n / 100 } } }),
        ({ spec }, n) => spec.additionalVersion?.weightPercent === n,
      ),
      this.#put(
        'second gateway',
        url,
        (n) => ({ Cors: { MaxAge: n } }),
        ({ spec }, n) => spec.http?.cors?.maxAgeSeconds === n,
      ),
      this.#annotations(aliases, `${name}.a.live`),
    ];
    return { read: () => this.#kubernetes.get(aliases, 'default', `${name}.a.live`), fields };
  }

  async ofLayer(name: string): Promise<Made<Of<typeof layers>>> {
    const path = `/2018-10-31/layers/${name}/versions`;
    await this.api('first gateway', 'POST', path, { Content: { ZipFile: this.#zip } });
    const statements: Field<Of<typeof layers>> = {
      writers: lambda,
      set: async (by, n) => {
        const sid = `${by.split(' ')[0]}-${n}`;
        const statement = { StatementId: sid, Action: 'lambda:GetLayerVersion', Principal: '*' };
        await this.api(by, 'POST', `${path}/1/policy`, statement);
        return ({ spec }) => spec.permissions.some((permission) => permission.sid === sid);
      },
    };
    const read = () => this.#kubernetes.get(layers, 'default', `${name}-v1`);
    return { read, fields: [statements, this.#annotations(layers, `${name}-v1`)] };
  }

  async ofMapping(name: string): Promise<Made<Of<typeof eventSourceMappings>>> {
    await this.function(name);
    const made = { FunctionName: name, EventSourceArn: `arn:aws:sqs:us-east-1:000000000000:${name}` };
    const { UUID, EventSourceMappingArn } = await this.api(
      'first gateway',
      'POST',
      '/2015-03-31/event-source-mappings',
      made,
    );
    const found = await this.#kubernetes.list(eventSourceMappings, { namespace: 'default' });
    const object = found.find(({ metadata }) => metadata.uid === UUID)?.metadata.name ?? '';
    const path = `/2015-03-31/event-source-mappings/${UUID}`;
    const fields: Field<Of<typeof eventSourceMappings>>[] = [
      this.#put(
        'first gateway',
        path,
        (n) => ({ BatchSize: n }),
        ({ spec }, n) => spec.batchSize === n,
      ),
      this.#put(
        'second gateway',
        path,
        (n) => ({ ScalingConfig: { MaximumConcurrency: 2 + n } }),
        ({ spec }, n) => spec.maximumConcurrency === 2 + n,
      ),
      this.#tags(String(EventSourceMappingArn)),
      this.#patched(
        eventSourceMappings,
        object,
        (n) => ({ enabled: n % 2 === 0 }),
        ({ spec }, n) => spec.enabled === (n % 2 === 0),
      ),
      this.#annotations(eventSourceMappings, object),
    ];
    return { read: () => this.#kubernetes.get(eventSourceMappings, 'default', object), fields };
  }

  /** Of a function, each of one writer. */
  #settings(name: string, path: string): readonly Field<Of<typeof functions>>[] {
    const configuration = `${path}/configuration`;
    return [
      this.#put(
        'first gateway',
        configuration,
        (n) => ({ Description: `d${n}` }),
        ({ spec }, n) => spec.description === `d${n}`,
      ),
      this.#put(
        'second gateway',
        configuration,
        (n) => ({ Timeout: 10 + n, Environment: { Variables: { NUMBER: `${n}` } } }),
        ({ spec }, n) => spec.timeoutSeconds === 10 + n && spec.environment.some(({ value }) => value === `${n}`),
      ),
      this.#put(
        'second gateway',
        `/2017-10-31/functions/${name}/concurrency`,
        (n) => ({ ReservedConcurrentExecutions: n }),
        ({ spec }, n) => spec.concurrency.reserved === n,
      ),
      this.#put(
        'first gateway',
        `/2019-09-25/functions/${name}/event-invoke-config`,
        (n) => ({ MaximumEventAgeInSeconds: 100 + n }),
        ({ spec }, n) => spec.eventInvoke?.[0]?.maximumEventAgeSeconds === 100 + n,
      ),
      this.#patched(
        functions,
        name,
        (n) => ({ idleTimeoutSeconds: 100 + n }),
        ({ spec }, n) => spec.idleTimeoutSeconds === 100 + n,
      ),
      {
        writers: ['apply'],
        set: async (by, n) => {
          await this.#write(by, functions, name, { spec: { memoryMiB: 200 + n } }, 'memory');
          return ({ spec }) => spec.memoryMiB === 200 + n;
        },
      },
    ];
  }

  /** Of a function, where writers add to the same list. */
  #lists(name: string, path: string): readonly Field<Of<typeof functions>>[] {
    const statements: Field<Of<typeof functions>> = {
      writers: lambda,
      set: async (by, n) => {
        const sid = `${by.split(' ')[0]}-${n}`;
        const statement = { StatementId: sid, Action: 'lambda:InvokeFunction', Principal: 's3.amazonaws.com' };
        await this.api(by, 'POST', `${path}/policy`, statement);
        return ({ spec }) => spec.permissions?.some((permission) => permission.sid === sid) === true;
      },
    };
    return [
      statements,
      this.#tags(`arn:aws:lambda:us-east-1:000000000000:function:${name}`),
      this.#annotations(functions, name),
    ];
  }

  #tags<T extends { readonly spec: { readonly tags?: Readonly<Record<string, string>> } }>(arn: string): Field<T> {
    return {
      writers: lambda,
      set: async (by, n) => {
        const key = `${by}-${n}`;
        await this.api(by, 'POST', `/2017-03-31/tags/${encodeURIComponent(arn)}`, { Tags: { [key]: 'x' } });
        return ({ spec }) => spec.tags?.[key] === 'x';
      },
    };
  }

  #annotations<T extends { readonly metadata: ObjectMeta }>(kind: Kind<T>, object: string): Field<T> {
    return {
      writers: kubectl,
      set: async (by, n) => {
        const key = `${by}-${n}`;
        await this.#write(by, kind, object, { metadata: { annotations: { [key]: key } } }, key);
        return ({ metadata }) => metadata.annotations[key] === key;
      },
    };
  }

  #put<T>(
    writer: Writer,
    path: string,
    body: (n: number) => object,
    holds: (object: T, n: number) => boolean,
  ): Field<T> {
    return {
      writers: [writer],
      set: async (by, n) => {
        await this.api(by, 'PUT', path, body(n));
        return (object) => holds(object, n);
      },
    };
  }

  #patched<T extends { readonly metadata: ObjectMeta }>(
    kind: Kind<T>,
    name: string,
    spec: (n: number) => object,
    holds: (object: T, n: number) => boolean,
  ): Field<T> {
    return {
      writers: ['patch'],
      set: async (by, n) => {
        await this.#write(by, kind, name, { spec: spec(n) }, '');
        return (object) => holds(object, n);
      },
    };
  }

  /** A merge patch, or an apply by a manager that owns nothing but this. */
  async #write<T extends { readonly metadata: ObjectMeta }>(
    by: Writer,
    kind: Kind<T>,
    name: string,
    part: { readonly metadata?: object; readonly spec?: object },
    slot: string,
  ): Promise<void> {
    if (by === 'patch') {
      await this.#kubernetes.patch(kind, 'default', name, part);
      return;
    }
    const object = { ...part, metadata: { ...part.metadata, name, namespace: 'default' } };
    await this.#kubernetes.apply(kind, object as unknown as Manifest<T>, `kubectl-${slot}`);
  }
}
