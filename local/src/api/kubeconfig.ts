import { stringify } from 'yaml';

/** Everything a client needs to reach the embedded API. */
export interface KubeconfigParts {
  /** `https://127.0.0.1:PORT`. */
  readonly server: string;
  /** PEM. */
  readonly caCertificate: string;
  readonly token: string;
}

/** The text of the kubeconfig: one cluster, one user, one context named `kappa`, namespace default. */
export function makeKubeconfig({ server, caCertificate, token }: KubeconfigParts): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'kappa',
        cluster: { server, 'certificate-authority-data': Buffer.from(caCertificate).toString('base64') },
      },
    ],
    users: [{ name: 'kappa', user: { token } }],
    contexts: [{ name: 'kappa', context: { cluster: 'kappa', user: 'kappa', namespace: 'default' } }],
    'current-context': 'kappa',
  });
}
