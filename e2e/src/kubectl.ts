import { type ChildProcess, spawn } from 'node:child_process';

/** What one run of kubectl said. */
export interface KubectlResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real kubectl against one cluster. */
export class Kubectl {
  readonly #path: string;
  readonly #kubeconfig: string;

  constructor(path: string, kubeconfig: string) {
    this.#path = path;
    this.#kubeconfig = kubeconfig;
  }

  /** Runs to the end; never throws on a non-zero exit. Ended after 60 s. */
  run(args: readonly string[], input = ''): Promise<KubectlResult> {
    const child = this.start(args);
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (chunk) => (stdout += String(chunk)));
    child.stderr?.on('data', (chunk) => (stderr += String(chunk)));
    child.stdin?.on('error', () => undefined).end(input); // kubectl may end without reading it
    const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
    return new Promise((resolve) =>
      child.on('close', (code) => {
        clearTimeout(timer);
        resolve({ code, stdout, stderr });
      }),
    );
  }

  /** Runs to the end and answers its output; throws with stderr on a non-zero exit. */
  async ok(args: readonly string[], input?: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(args, input);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${stderr}`);
    return stdout;
  }

  /** `kubectl apply -f -` of one manifest. */
  apply(manifest: object): Promise<string> {
    return this.ok(['apply', '-f', '-'], JSON.stringify(manifest));
  }

  /** `kubectl get … -o json`, parsed. */
  async json<T>(args: readonly string[]): Promise<T> {
    return JSON.parse(await this.ok(['get', ...args, '-o', 'json'])) as T;
  }

  /** Starts kubectl and leaves it running, for `logs -f` and watches. The caller ends it. */
  start(args: readonly string[]): ChildProcess {
    return spawn(this.#path, [...args], { env: { ...process.env, KUBECONFIG: this.#kubeconfig } });
  }
}
