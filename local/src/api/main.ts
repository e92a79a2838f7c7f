import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { parseConfig } from './config.ts';

process.umask(0o077); // the database holds Secrets

const clock = {
  now: Date.now,
  after: (ms: number, run: () => void): (() => void) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

async function run(): Promise<void> {
  const config = parseConfig(process.env);
  // halves the CPU time of a start: what follows is a hundred modules
  enableCompileCache(join(config.stateDir, 'cache', 'compile'));
  const { startApi } = await import('./server.ts');
  const api = await startApi(config, {
    clock,
    onInternalError: (error) => {
      const stack = error instanceof Error ? error.stack : String(error);
      console.error(JSON.stringify({ level: 'error', msg: 'internal error of the embedded API', stack }));
    },
  });
  console.log(`embedded Kubernetes API ready at ${api.url}, kubeconfig ${api.kubeconfig}`);
  const stop = (): void => {
    void api.close().then(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

run().catch((error: unknown) => {
  console.error(`cannot start the embedded Kubernetes API: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
});
