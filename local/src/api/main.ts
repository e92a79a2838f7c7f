import { parseConfig } from './config.ts';
import { startApi } from './server.ts';

process.umask(0o077); // the database holds Secrets

const clock = {
  now: Date.now,
  after: (ms: number, run: () => void): (() => void) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

const api = await startApi(parseConfig(process.env), {
  clock,
  onInternalError: (error) =>
    console.error(
      JSON.stringify({
        level: 'error',
        msg: 'internal error',
        error: String(error instanceof Error ? error.stack : error),
      }),
    ),
});
console.log(`embedded Kubernetes API ready at ${api.url}, kubeconfig ${api.kubeconfig}`);

const stop = async (): Promise<void> => {
  await api.close();
  process.exit(0);
};
process.once('SIGTERM', () => void stop());
process.once('SIGINT', () => void stop());
