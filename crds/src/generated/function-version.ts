// Generated from crds/manifests/functionversions.yaml by crds/src/generate.ts. Do not edit: run `make generate`.
import type { ObjectMeta } from '../object-meta.ts';

/**
 * An immutable snapshot of a Function, code resolved to a digest.
 */
export interface FunctionVersionObject {
  readonly apiVersion: 'kappa.dev/v1alpha1';
  readonly kind: 'FunctionVersion';
  readonly metadata: ObjectMeta;
  readonly spec: FunctionVersionSpec;
}
/**
 * The snapshot. Cannot be changed.
 */
export interface FunctionVersionSpec {
  /**
   * metadata.name of the Function.
   */
  readonly functionName: string;
  /**
   * Lambda's name of the function.
   */
  readonly lambdaName: string;
  /**
   * $LATEST, or the number of a published version.
   */
  readonly version: string;
  /**
   * First 10 hexadecimal digits of the SHA-256 over what the function is.
   */
  readonly revision: string;
  /**
   * Free text for people.
   */
  readonly description: string;
  /**
   * Runtime identifier; the name of the Pool that its execution environments come from. Absent for an image.
   */
  readonly runtime?:
    | 'nodejs20.x'
    | 'nodejs22.x'
    | 'nodejs24.x'
    | 'nodejs26.x'
    | 'python3.9'
    | 'python3.10'
    | 'python3.11'
    | 'python3.12'
    | 'python3.13'
    | 'python3.14'
    | 'provided'
    | 'provided.al2'
    | 'provided.al2023'
    | 'ruby3.2'
    | 'ruby3.3'
    | 'ruby3.4'
    | 'java17'
    | 'java21'
    | 'java25'
    | 'dotnet8'
    | 'dotnet10';
  /**
   * What to call. Absent for an image.
   */
  readonly handler?: string;
  readonly code: FunctionVersionCode;
  readonly imageConfig?: FunctionVersionImageConfig;
  /**
   * Memory of one execution environment, MiB.
   */
  readonly memoryMiB: number;
  /**
   * Longest run of one invocation, seconds.
   */
  readonly timeoutSeconds: number;
  /**
   * Environment variables; references are resolved when an execution environment is made.
   */
  readonly environment: readonly FunctionVersionEnvironmentEntry[];
  /**
   * Invocations that one execution environment runs at once.
   */
  readonly perInstance: number;
  readonly logging: FunctionVersionLogging;
  /**
   * What the function's processes do while nobody calls.
   */
  readonly idle?: 'Frozen' | 'Running';
  /**
   * An execution environment that nobody has called for so long goes away, seconds.
   */
  readonly idleTimeoutSeconds: number;
  /**
   * Role as Lambda's API was given it, an ARN.
   */
  readonly role?: string;
  /**
   * The ServiceAccount whose rights its code has outside, where no role says it.
   */
  readonly serviceAccountName?: string;
  /**
   * Instruction set, as Lambda's API was given it.
   *
   * Items: An instruction set.
   */
  readonly architectures?: readonly ('x86_64' | 'arm64')[];
  /**
   * Layers in their order, as they were when the snapshot was made; what a deleted layer version was stays here.
   */
  readonly layers?: readonly FunctionVersionLayer[];
  /**
   * Size of /tmp as Lambda's API was given it, MiB.
   */
  readonly ephemeralStorageMiB?: number;
  /**
   * Where failed asynchronous events go, an ARN.
   */
  readonly deadLetterTarget?: string;
  /**
   * Fields of Lambda's API that are kept and answered and change nothing, JSON text by name.
   */
  readonly compatibility?: Readonly<Record<string, string>>;
}
/**
 * The zip in the blob store, or the image.
 */
export interface FunctionVersionCode {
  /**
   * SHA-256 of the zip, or of the image's manifest, 64 lower-case hexadecimal digits.
   */
  readonly sha256: string;
  /**
   * Size of the zip, bytes; 0 for an image.
   */
  readonly sizeBytes: number;
  readonly image?: FunctionVersionCodeImage;
}
/**
 * The image, as it was when the snapshot was made.
 */
export interface FunctionVersionCodeImage {
  /**
   * As the Function names it.
   */
  readonly uri: string;
  /**
   * As the Function says it.
   */
  readonly deployedAt?: string;
  /**
   * Repository with digest: what pods run.
   */
  readonly reference: string;
  /**
   * The image's own ENTRYPOINT.
   *
   * Items: A word.
   */
  readonly entryPoint: readonly string[];
  /**
   * The image's own CMD.
   *
   * Items: A word.
   */
  readonly command: readonly string[];
}
/**
 * What takes the place of the image's own settings.
 */
export interface FunctionVersionImageConfig {
  /**
   * Instead of the image's ENTRYPOINT.
   *
   * Items: A word.
   */
  readonly entryPoint?: readonly string[];
  /**
   * Instead of the image's CMD.
   *
   * Items: A word.
   */
  readonly command?: readonly string[];
  /**
   * Instead of the image's WORKDIR.
   */
  readonly workingDirectory?: string;
}
/**
 * One variable. Exactly one of value and valueFrom.
 */
export interface FunctionVersionEnvironmentEntry {
  /**
   * Name of the variable.
   */
  readonly name: string;
  /**
   * Literal value.
   */
  readonly value?: string;
  readonly valueFrom?: FunctionVersionEnvironmentEntryValueFrom;
}
/**
 * A value that lives elsewhere in the same namespace. Exactly one of secretKeyRef and configMapKeyRef.
 */
export interface FunctionVersionEnvironmentEntryValueFrom {
  readonly secretKeyRef?: FunctionVersionEnvironmentEntryValueFromSecretKeyRef;
  readonly configMapKeyRef?: FunctionVersionEnvironmentEntryValueFromConfigMapKeyRef;
}
/**
 * A key of a Secret in the function's namespace.
 */
export interface FunctionVersionEnvironmentEntryValueFromSecretKeyRef {
  /**
   * Name of the Secret.
   */
  readonly name: string;
  /**
   * Key in the Secret's data.
   */
  readonly key: string;
}
/**
 * A key of a ConfigMap in the function's namespace.
 */
export interface FunctionVersionEnvironmentEntryValueFromConfigMapKeyRef {
  /**
   * Name of the ConfigMap.
   */
  readonly name: string;
  /**
   * Key in the ConfigMap's data.
   */
  readonly key: string;
}
/**
 * Form of the function's log.
 */
export interface FunctionVersionLogging {
  /**
   * Text lines as the function prints them, or JSON objects.
   */
  readonly format: 'Text' | 'JSON';
  /**
   * Gravity below which lines of the function are left out.
   */
  readonly applicationLevel?: 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'FATAL';
  /**
   * Gravity below which lines of the platform are left out.
   */
  readonly systemLevel?: 'DEBUG' | 'INFO' | 'WARN';
}
/**
 * A layer version.
 */
export interface FunctionVersionLayer {
  /**
   * ARN of the layer version.
   */
  readonly arn: string;
  /**
   * SHA-256 of the zip, 64 lower-case hexadecimal digits.
   */
  readonly sha256: string;
  /**
   * Size of the zip, bytes.
   */
  readonly sizeBytes: number;
}
