import { endpointUrlAnnotation } from '@kappa/crds/labels';

/** Where functions find AWS's services: variables that AWS's SDKs and CLI read, for example `AWS_ENDPOINT_URL_S3`. */
export type EndpointVariables = Readonly<Record<string, string>>;

const variableName = /^AWS_ENDPOINT_URL(?:_[A-Z0-9]+)*$/;
const endpointUrl = /^https?:\/\/[^\s/]\S{0,2046}$/;
/** Ends the annotation's name: `-s3`, `-cloudwatch-logs`. */
const serviceSuffix = /^(?:-[a-z0-9]+)*$/;

/**
 * The install's endpoints, and what namespaces have in place of them. Each variable for itself: a namespace's annotation goes before the
 * install's setting; the function's own variable goes before both. An empty value takes the variable away.
 */
export class Endpoints {
  readonly #install: EndpointVariables;
  readonly #onProblem: (problem: string) => void;
  /** What a namespace has, the install's included; only of namespaces with annotations. */
  readonly #namespaces = new Map<string, EndpointVariables>();

  /** @param onProblem hears of annotations that are not used */
  constructor(install: EndpointVariables, onProblem: (problem: string) => void) {
    this.#install = withoutEmpty(install);
    this.#onProblem = onProblem;
  }

  /** @param annotations of {@link endpointAnnotations}; null = the namespace is gone */
  set(namespace: string, annotations: Readonly<Record<string, string>> | null): void {
    const entries = Object.entries(annotations ?? {}).flatMap(([name, url]) => {
      const suffix = name.slice(endpointUrlAnnotation.length);
      const variable = `AWS_ENDPOINT_URL${suffix.toUpperCase().replaceAll('-', '_')}`;
      if (serviceSuffix.test(suffix) && isEndpoint(url)) return [[variable, url] as const];
      this.#onProblem(`annotation ${name} of namespace ${namespace} is no endpoint`);
      return [];
    });
    if (entries.length === 0) this.#namespaces.delete(namespace);
    else this.#namespaces.set(namespace, withoutEmpty({ ...this.#install, ...Object.fromEntries(entries) }));
  }

  /** What functions of a namespace get. */
  of(namespace: string): EndpointVariables {
    return this.#namespaces.get(namespace) ?? this.#install;
  }
}

/** The annotations of a Namespace that name endpoints. */
export function endpointAnnotations(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(annotations).filter(([name]) => name.startsWith(endpointUrlAnnotation)));
}

/** Reads the install's setting, a JSON object; null = it is none. */
export function parseEndpoints(text: string): EndpointVariables | null {
  try {
    const value: unknown = JSON.parse(text);
    const entries = typeof value === 'object' && value !== null ? Object.entries(value) : null;
    const isGood = entries?.every(([name, url]) => variableName.test(name) && isEndpoint(url)) ?? false;
    return isGood && !Array.isArray(value) ? Object.fromEntries(entries ?? []) : null;
  } catch {
    return null;
  }
}

function isEndpoint(url: unknown): url is string {
  return typeof url === 'string' && (url === '' || (endpointUrl.test(url) && URL.canParse(url)));
}

function withoutEmpty(variables: EndpointVariables): EndpointVariables {
  return Object.freeze(Object.fromEntries(Object.entries(variables).filter(([, url]) => url !== '')));
}
