import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/**
 * Every controller metric, one entry each. Base units; closed label sets; never an object's name.
 *
 * @param depths objects that wait for a look, by kind; asked when the metrics are read
 */
export function controllerMetrics(registry: Registry, depths: () => Readonly<Record<string, number>>) {
  const registers = [registry];
  return {
    reconcileSeconds: new Histogram({
      name: 'kappa_controller_reconcile_seconds',
      help: 'Seconds that one look at one object took. kind: function | alias | layer | pool.',
      labelNames: ['kind'] as const,
      buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10],
      registers,
    }),
    reconcileErrors: new Counter({
      name: 'kappa_controller_reconcile_errors_total',
      help: 'Looks that failed and will be tried again. kind: function | alias | layer | pool.',
      labelNames: ['kind'] as const,
      registers,
    }),
    queueDepth: new Gauge({
      name: 'kappa_controller_queue_depth',
      help: 'Objects that wait for a look. kind: function | alias | layer | pool.',
      labelNames: ['kind'] as const,
      registers,
      collect() {
        for (const [kind, depth] of Object.entries(depths())) this.set({ kind }, depth);
      },
    }),
    watchRestarts: new Counter({
      name: 'kappa_controller_watch_restarts_total',
      help: 'Times a list or watch of the Kubernetes API had to be made anew.',
      registers,
    }),
    isLeader: new Gauge({ name: 'kappa_controller_is_leader', help: '1 while this process writes.', registers }),
    blobs: new Gauge({
      name: 'kappa_controller_blobs',
      help: 'Zips in the code store, when the leader last looked. state: used | unused | retired.',
      labelNames: ['state'] as const,
      registers,
    }),
    blobBytes: new Gauge({
      name: 'kappa_controller_blob_bytes',
      help: 'Their bytes. state: used | unused | retired.',
      labelNames: ['state'] as const,
      registers,
    }),
    blobsRemoved: new Counter({
      name: 'kappa_controller_blobs_removed_total',
      help: 'Zips that nobody referred to and that were removed for good.',
      registers,
    }),
    blobBytesRemoved: new Counter({
      name: 'kappa_controller_blob_bytes_removed_total',
      help: 'Their bytes.',
      registers,
    }),
    collections: new Counter({
      name: 'kappa_controller_blob_collections_total',
      help: 'Looks for zips that nobody refers to. result: done | ended (early, the next one goes on) | claimed (nobody had used the store) | shared (another install does, too: nothing is removed) | failed.',
      labelNames: ['result'] as const,
      registers,
    }),
  };
}

/** What {@link controllerMetrics} makes. */
export type ControllerMetrics = ReturnType<typeof controllerMetrics>;
