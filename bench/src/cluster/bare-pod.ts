import type { Pod } from '@kappa/crds/client/kinds';
import type { Manifest } from '@kappa/crds/object-meta';
import { benchLabel } from './bench-cluster.ts';

/** How a bare pod differs from the one it is like. */
export interface BarePodOptions {
  /** Default: where the scheduler puts it. */
  readonly node?: string;
  /** Default: those of the pod it is like. */
  readonly resources?: Pod['spec']['containers'][number]['resources'];
  /** Whether it is Ready only when its agent says so; default true. */
  readonly hasProbe?: boolean;
}

/** A pod with image, resources, volumes and rights of a pool's pod, which belongs to no pool: nobody in Kappa looks at it. */
export function makeBarePod(like: Pod, name: string, options: BarePodOptions = {}): Manifest<Pod> {
  const { securityContext, containers, volumes = [], priorityClassName } = like.spec;
  const [runtime] = containers;
  if (runtime === undefined) throw new Error(`${like.metadata.name} has no container`);
  const { readinessProbe, ...rest } = runtime;
  const container = {
    ...rest,
    ...(options.resources === undefined ? {} : { resources: options.resources }),
    ...(options.hasProbe === false || readinessProbe === undefined ? {} : { readinessProbe }),
  };
  return {
    metadata: { name, namespace: like.metadata.namespace, labels: { [benchLabel]: 'cluster' } },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 1,
      ...(priorityClassName === undefined ? {} : { priorityClassName }),
      ...(securityContext === undefined ? {} : { securityContext }),
      ...(options.node === undefined ? {} : { nodeName: options.node }),
      containers: [container],
      volumes,
    },
  };
}
