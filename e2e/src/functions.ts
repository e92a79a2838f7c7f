/** A Function with inline code, ready to apply. */
export function makeFunction(name: string, files: Readonly<Record<string, string>>, spec: object = {}): object {
  return {
    apiVersion: 'kappa.dev/v1alpha1',
    kind: 'Function',
    metadata: { name, namespace: 'default' },
    spec: {
      runtime: Object.keys(files).some((path) => path.endsWith('.py')) ? 'python3.11' : 'nodejs24.x',
      handler: 'index.handler',
      http: { auth: 'None' },
      code: { inline: { files: Object.entries(files).map(([path, content]) => ({ path, content })) } },
      ...spec,
    },
  };
}

/** A Node.js function whose module body is `source`. */
export function nodeFunction(name: string, source: string, spec: object = {}): object {
  return makeFunction(name, { 'index.mjs': source }, spec);
}

/** A Python function whose module body is `source`. */
export function pythonFunction(name: string, source: string, spec: object = {}): object {
  return makeFunction(name, { 'index.py': source }, spec);
}
