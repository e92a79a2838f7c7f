// Generated from crds/manifests/functions.yaml by crds/src/generate.ts. Do not edit: run `make generate`.
import type { Condition } from '../conditions.ts';
import type { ObjectMeta } from '../object-meta.ts';

/**
 * A function in the sense of AWS Lambda. It costs nothing while nobody calls it.
 */
export interface FunctionObject {
  readonly apiVersion: 'kappa.dev/v1alpha1';
  readonly kind: 'Function';
  readonly metadata: ObjectMeta;
  readonly spec: FunctionSpec;
  readonly status?: FunctionStatus;
}
/**
 * What is wanted.
 */
export interface FunctionSpec {
  /**
   * Lambda's name of the function, for names that metadata.name cannot hold (upper case, underscore, hyphen at an end). Letters, digits, hyphens, underscores; 1 to 64 characters. Default: metadata.name. Cannot be changed.
   */
  readonly functionName?: string;
  /**
   * Free text for people, at most 256 characters.
   */
  readonly description: string;
  /**
   * Runtime identifier, as in Lambda. Required, except for an image.
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
   * What to call, as in Lambda, for example index.handler. 1 to 128 characters without white space. Required, except for an image.
   */
  readonly handler?: string;
  readonly code: FunctionCode;
  readonly imageConfig?: FunctionImageConfig;
  /**
   * Memory of one execution environment, MiB, 128 to 10,240. CPU grows with it; 1,769 MiB are one vCPU.
   */
  readonly memoryMiB: number;
  /**
   * Longest run of one invocation, seconds, 1 to 900.
   */
  readonly timeoutSeconds: number;
  /**
   * Environment variables, at most 256; names and literal values together at most 4,096 characters (the limit of 4,096 bytes is checked again when references are resolved).
   */
  readonly environment: readonly FunctionEnvironmentEntry[];
  readonly concurrency: FunctionConcurrency;
  readonly http?: FunctionHttp;
  readonly logging: FunctionLogging;
  /**
   * What the function's processes do while nobody calls: Frozen, they are stopped a tenth of a second after the last call, as on Lambda, and use no processor; Running, they go on. Default Frozen.
   */
  readonly idle?: 'Frozen' | 'Running';
  /**
   * An execution environment that nobody has called for so long goes away, seconds, 1 to 86,400.
   */
  readonly idleTimeoutSeconds: number;
  /**
   * Tags of Lambda's API, at most 50. They mean nothing to Kappa.
   */
  readonly tags?: Readonly<Record<string, string>>;
  /**
   * Role as Lambda's API was given it, an ARN: the ServiceAccount of this namespace whose rights its code has outside. At most 2,048 characters.
   */
  readonly role?: string;
  /**
   * The ServiceAccount itself, for manifests; not together with role. 1 to 253 characters.
   */
  readonly serviceAccountName?: string;
  /**
   * Instruction set, as Lambda's API was given it.
   *
   * Items: An instruction set.
   */
  readonly architectures?: readonly ('x86_64' | 'arm64')[];
  /**
   * ARNs of layer versions, at most 5. They are unpacked into /opt in this order, later ones over earlier ones. Of a layer only one version.
   *
   * Items: ARN of a layer version.
   */
  readonly layers?: readonly string[];
  /**
   * Size of /tmp as Lambda's API was given it, MiB, 512 to 10,240. It is kept and answered; the pool decides the size.
   */
  readonly ephemeralStorageMiB?: number;
  /**
   * Where events go that were given up, an SQS queue or an SNS topic, an ARN of at most 256 characters.
   */
  readonly deadLetterTarget?: string;
  /**
   * How asynchronous invocations are handled, by qualifier; an alias or version does not inherit from $LATEST. At most 100.
   */
  readonly eventInvoke?: readonly FunctionEventInvokeEntry[];
  /**
   * What is done when the function is called in a loop. Terminate: it runs 16 times in one chain of invocations, further calls of that chain are refused with RecursiveInvocationException. Allow: the loop goes on. Default: Terminate.
   */
  readonly recursiveLoop?: 'Terminate' | 'Allow';
  /**
   * The resource policy: who, besides the function's own account, may do what with it. Every entry grants; nothing denies. At most 256, and 20,480 bytes of policy for each qualifier in Lambda's API.
   */
  readonly permissions?: readonly FunctionPermission[];
  /**
   * Fields of Lambda's API that are kept and answered and change nothing, by their name there (VpcConfig, TracingConfig …); each is JSON text. At most 20.
   */
  readonly compatibility?: Readonly<Record<string, string>>;
}
/**
 * Where the code is. Exactly one of inline, zip, url and image.
 */
export interface FunctionCode {
  readonly inline?: FunctionCodeInline;
  readonly zip?: FunctionCodeZip;
  readonly url?: FunctionCodeUrl;
  readonly image?: FunctionCodeImage;
}
/**
 * Source files in the manifest itself, at most 524,288 characters (512 KiB of ASCII text) together. Above about 250,000 use kubectl apply --server-side: the annotation of a plain apply has no room for them.
 */
export interface FunctionCodeInline {
  /**
   * Files below the task root, 1 to 100.
   */
  readonly files: readonly FunctionCodeInlineFile[];
}
/**
 * One source file.
 */
export interface FunctionCodeInlineFile {
  /**
   * Relative path, for example lib/index.mjs. At most 256 characters; no part may be '.' or begin with '..'.
   */
  readonly path: string;
  /**
   * Text of the file.
   */
  readonly content: string;
}
/**
 * A zip that is in the blob store already (the kappa command puts it there).
 */
export interface FunctionCodeZip {
  /**
   * SHA-256 of the zip, 64 lower-case hexadecimal digits.
   */
  readonly sha256: string;
}
/**
 * A zip behind a URL. The controller fetches it once and checks its digest.
 */
export interface FunctionCodeUrl {
  /**
   * Address of the zip, https (http where the install allows it), at most 2,048 characters.
   */
  readonly url: string;
  /**
   * SHA-256 of the zip, 64 lower-case hexadecimal digits.
   */
  readonly sha256: string;
}
/**
 * A container image. Its registry is asked for the digest once; runtime, handler and layers are left out.
 */
export interface FunctionCodeImage {
  /**
   * Name of the image with tag or digest, for example registry.example/shop/cart:7. At most 512 characters.
   */
  readonly uri: string;
  /**
   * When the tag was last meant to be looked up. Another instant has it looked up again though uri is the same; UpdateFunctionCode of Lambda's API sets it.
   */
  readonly deployedAt?: string;
}
/**
 * What takes the place of the image's own settings.
 */
export interface FunctionImageConfig {
  /**
   * Instead of the image's ENTRYPOINT; the program and its first arguments. At most 100.
   *
   * Items: A word.
   */
  readonly entryPoint?: readonly string[];
  /**
   * Instead of the image's CMD, for example the handler. At most 100.
   *
   * Items: A word.
   */
  readonly command?: readonly string[];
  /**
   * Instead of the image's WORKDIR, an absolute path of at most 1,000 characters.
   */
  readonly workingDirectory?: string;
}
/**
 * One variable. Exactly one of value and valueFrom.
 */
export interface FunctionEnvironmentEntry {
  /**
   * Name of the variable; a letter, then letters, digits and underscores; 2 to 256 characters. Lambda's reserved names are refused.
   */
  readonly name: string;
  /**
   * Literal value.
   */
  readonly value?: string;
  readonly valueFrom?: FunctionEnvironmentEntryValueFrom;
}
/**
 * A value that lives elsewhere in the same namespace. Exactly one of secretKeyRef and configMapKeyRef.
 */
export interface FunctionEnvironmentEntryValueFrom {
  readonly secretKeyRef?: FunctionEnvironmentEntryValueFromSecretKeyRef;
  readonly configMapKeyRef?: FunctionEnvironmentEntryValueFromConfigMapKeyRef;
}
/**
 * A key of a Secret in the function's namespace.
 */
export interface FunctionEnvironmentEntryValueFromSecretKeyRef {
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
export interface FunctionEnvironmentEntryValueFromConfigMapKeyRef {
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
 * How many invocations may run at once, and how many execution environments are kept.
 */
export interface FunctionConcurrency {
  /**
   * Hard cap on invocations running at once; 0 stops the function. Default is no cap of its own.
   */
  readonly reserved?: number;
  /**
   * Execution environments that are initialized and kept before anybody calls, of $LATEST. kubectl scale sets it.
   */
  readonly provisioned: number;
  /**
   * The same for published versions, by number, and for aliases: these are given to the versions that the alias means, by its weights. At most 100.
   */
  readonly provisionedByQualifier?: readonly FunctionConcurrencyProvisionedByQualifierEntry[];
  /**
   * What becomes of calls above a limit: the function's concurrency or the account's, calls per second, new execution environments. Reject answers 429 at once. Queue lets them wait for their turn, then answers the same. Default: Reject.
   */
  readonly onLimit?: 'Reject' | 'Queue';
  /**
   * So long a call waits when onLimit is Queue, on top of the function's timeout. Default 10.
   */
  readonly maxQueueSeconds?: number;
  /**
   * So many calls wait at the same time when onLimit is Queue, further ones are refused. A function without reserved concurrency may have as many at each gateway that owns it. Default 100.
   */
  readonly maxQueued?: number;
  /**
   * Invocations that one execution environment runs at once, 1 to 128; above 1 with the runtimes nodejs and provided only. The runtime finds the number in AWS_LAMBDA_MAX_CONCURRENCY. A crash fails all that run there. Not together with provisioned concurrency. Default 1.
   */
  readonly perInstance: number;
}
/**
 * Provisioned concurrency of one version or alias.
 */
export interface FunctionConcurrencyProvisionedByQualifierEntry {
  /**
   * Number of a published version, or an alias.
   */
  readonly qualifier: string;
  /**
   * Execution environments that are initialized and kept.
   */
  readonly executions: number;
  /**
   * When Lambda's API changed it last.
   */
  readonly lastModified?: string;
}
/**
 * Function URL (with auth), and routes of HTTP APIs. Without it the function has neither.
 */
export interface FunctionHttp {
  /**
   * Who may call the function URL; without it there is no URL, only routes. None is open to everybody who reaches the gateway, so it has to be said; AwsIam wants an AWS signature (version 4); Policy asks nobody who he is and lets in whom spec.permissions of the Function lets in (AuthType NONE of Lambda's API).
   */
  readonly auth?: 'None' | 'AwsIam' | 'Policy';
  /**
   * Whether the answer is sent when it is complete, or while the function writes it.
   */
  readonly invokeMode: 'Buffered' | 'ResponseStream';
  /**
   * When Lambda's API made the URL.
   */
  readonly created?: string;
  /**
   * When Lambda's API changed the URL last.
   */
  readonly lastModified?: string;
  readonly cors?: FunctionHttpCors;
  /**
   * Requests of HTTP APIs that the function answers, as with API Gateway. Without an authorizer a route is open to everybody who reaches the gateway. The most specific route wins; of two that are the same the older Function has it. At most 50.
   */
  readonly routes?: readonly FunctionHttpRoute[];
}
/**
 * Cross-origin rules of the function URL. Without it the function answers such requests itself.
 */
export interface FunctionHttpCors {
  /**
   * Origins that may call, for example https://example.com, or '*'. At most 100.
   *
   * Items: An origin.
   */
  readonly allowOrigins: readonly string[];
  /**
   * Methods that may be used. At most 6.
   *
   * Items: A method.
   */
  readonly allowMethods: readonly ('GET' | 'PUT' | 'HEAD' | 'POST' | 'PATCH' | 'DELETE' | '*')[];
  /**
   * Request headers that may be sent, or '*'. At most 100.
   *
   * Items: A header name, or '*'.
   */
  readonly allowHeaders: readonly string[];
  /**
   * Answer headers that scripts may read, or '*'. At most 100.
   *
   * Items: A header name, or '*'.
   */
  readonly exposeHeaders: readonly string[];
  /**
   * Whether cookies and authorization may be sent along.
   */
  readonly allowCredentials: boolean;
  /**
   * How long a browser may keep the answer to a preflight request, seconds, 0 to 86,400.
   */
  readonly maxAgeSeconds: number;
}
/**
 * A path, and who may ask what there.
 */
export interface FunctionHttpRoute {
  /**
   * Host name at which it answers, one that the install lets functions have. Without it the address is PUBLIC_URL/api/NAMESPACE. At most 253 characters, lower case.
   */
  readonly host?: string;
  /**
   * For example /pets/{id}; {x} is one segment, {proxy+} at the end is one or more. 1 to 512 characters.
   */
  readonly path: string;
  /**
   * Methods that it answers, or ANY. A method that is named goes before ANY. 1 to 8.
   *
   * Items: A method.
   */
  readonly methods: readonly ('ANY' | 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS')[];
  /**
   * Form of event and answer. 2.0 is that of HTTP APIs and function URLs, 1.0 that of REST APIs.
   */
  readonly payloadFormat: '1.0' | '2.0';
  /**
   * Name of the stage; it is the first segment of the address, unless it is $default. At most 128 characters.
   */
  readonly stage: string;
  readonly authorizer?: FunctionHttpRouteAuthorizer;
  readonly cors?: FunctionHttpRouteCors;
  readonly throttle?: FunctionHttpRouteThrottle;
}
/**
 * Who may ask. Exactly one of jwt and lambda.
 */
export interface FunctionHttpRouteAuthorizer {
  readonly jwt?: FunctionHttpRouteAuthorizerJwt;
  readonly lambda?: FunctionHttpRouteAuthorizerLambda;
}
/**
 * Whoever brings a valid token of an OpenID Connect issuer.
 */
export interface FunctionHttpRouteAuthorizerJwt {
  /**
   * The token's iss. Its keys are found by ISSUER/.well-known/openid-configuration, over https at a public address, unless the install lets this issuer be reached otherwise. At most 512 characters.
   */
  readonly issuer: string;
  /**
   * The token's aud (or client_id, when it has no aud) must be one of these. 1 to 20.
   *
   * Items: An audience.
   */
  readonly audience: readonly string[];
  /**
   * The token's scope (or scp) must have one of these; none = whatever it has. At most 50.
   *
   * Items: A scope.
   */
  readonly scopes: readonly string[];
  /**
   * Where the token is, $request.header.NAME or $request.querystring.NAME. With or without Bearer before it.
   */
  readonly identitySource: string;
}
/**
 * Whom another function lets in.
 */
export interface FunctionHttpRouteAuthorizerLambda {
  /**
   * metadata.name of a Function of this namespace, or NAME:QUALIFIER for an alias or a version of it.
   */
  readonly function: string;
  /**
   * What the request must have, $request.header.NAME or $request.querystring.NAME; a request without one of them is refused with 401, and nobody is asked. At most 10.
   *
   * Items: A header or a parameter of the query.
   */
  readonly identitySource: readonly string[];
  /**
   * So long its answer counts for further requests of this route with the same identitySource, seconds, 0 to 3,600.
   */
  readonly ttlSeconds: number;
}
/**
 * Cross-origin rules. Without it the function answers such requests itself, preflights included.
 */
export interface FunctionHttpRouteCors {
  /**
   * Origins that may call, for example https://example.com, or '*'. At most 100.
   *
   * Items: An origin.
   */
  readonly allowOrigins: readonly string[];
  /**
   * Methods that may be used. At most 8.
   *
   * Items: A method.
   */
  readonly allowMethods: readonly ('GET' | 'PUT' | 'HEAD' | 'POST' | 'PATCH' | 'DELETE' | 'OPTIONS' | '*')[];
  /**
   * Request headers that may be sent, or '*'. At most 100.
   *
   * Items: A header name, or '*'.
   */
  readonly allowHeaders: readonly string[];
  /**
   * Answer headers that scripts may read, or '*'. At most 100.
   *
   * Items: A header name, or '*'.
   */
  readonly exposeHeaders: readonly string[];
  /**
   * Whether cookies and authorization may be sent along.
   */
  readonly allowCredentials: boolean;
  /**
   * How long a browser may keep the answer to a preflight request, seconds, 0 to 86,400.
   */
  readonly maxAgeSeconds: number;
}
/**
 * Requests above it are answered 429 and reach neither authorizer nor function. All gateways together.
 */
export interface FunctionHttpRouteThrottle {
  /**
   * So many in a second on the long run, 1 to 1,000,000.
   */
  readonly ratePerSecond: number;
  /**
   * So many at once, 1 to 1,000,000.
   */
  readonly burst: number;
}
/**
 * Form of the function's log.
 */
export interface FunctionLogging {
  /**
   * Text lines as the function prints them, or JSON objects.
   */
  readonly format: 'Text' | 'JSON';
  /**
   * Lines of the function that are less grave are left out, as far as they are JSON objects with a level. Only with JSON; default INFO.
   */
  readonly applicationLevel?: 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'FATAL';
  /**
   * Lines of the platform that are less grave are left out. Only with JSON; default INFO.
   */
  readonly systemLevel?: 'DEBUG' | 'INFO' | 'WARN';
}
/**
 * Of one version or alias.
 */
export interface FunctionEventInvokeEntry {
  /**
   * $LATEST, number of a published version, or an alias.
   */
  readonly qualifier: string;
  /**
   * Further tries after a function error, 0 to 2.
   */
  readonly maximumRetryAttempts?: number;
  /**
   * An event that is older is not tried any more, seconds, 60 to 21,600.
   */
  readonly maximumEventAgeSeconds?: number;
  /**
   * Where records of invocations that went well go, an ARN of SQS, SNS, Lambda or EventBridge.
   */
  readonly onSuccess?: string;
  /**
   * Where records of events that were given up go, an ARN of SQS, SNS, Lambda, EventBridge or S3.
   */
  readonly onFailure?: string;
  /**
   * When Lambda's API changed it last.
   */
  readonly lastModified?: string;
}
/**
 * One statement. All conditions that it names must hold.
 */
export interface FunctionPermission {
  /**
   * Name of the statement, unique for its qualifier; letters, digits, hyphens, underscores; 1 to 100 characters.
   */
  readonly sid: string;
  /**
   * Version or alias that it is about, and as which the function must be called then. Default is the function called without a qualifier.
   */
  readonly qualifier: string;
  /**
   * What may be done, for example lambda:InvokeFunction; lambda:* or * for everything.
   */
  readonly action: string;
  /**
   * Who may: an account (12 digits), an ARN of a user or role, a service (s3.amazonaws.com), or * for everybody.
   */
  readonly principal: string;
  /**
   * On behalf of which resource a service calls, an ARN; * and ? stand for any characters of one part.
   */
  readonly sourceArn?: string;
  /**
   * In which account that resource is, 12 digits.
   */
  readonly sourceAccount?: string;
  /**
   * Organization of the caller. An install has no organizations, so such a statement grants nothing to anybody.
   */
  readonly principalOrgId?: string;
  /**
   * Token that the caller must give.
   */
  readonly eventSourceToken?: string;
  /**
   * Only for URLs that ask nobody (None; spec.http.auth None or Policy), or only for those that want a signature (AwsIam).
   */
  readonly functionUrlAuthType?: 'None' | 'AwsIam';
  /**
   * Whether the call must come through the function URL (true), or must not (false).
   */
  readonly invokedViaFunctionUrl?: boolean;
}
/**
 * What was found. Written by the controller only.
 */
export interface FunctionStatus {
  /**
   * metadata.generation that this status is about.
   */
  readonly observedGeneration?: number;
  /**
   * As in Lambda. Pending until code is there for the first time (an image: until a pod has started with it), Failed when it never was.
   */
  readonly state?: 'Pending' | 'Active' | 'Failed';
  /**
   * Why the state is so, for people.
   */
  readonly stateReason?: string;
  /**
   * Why the state is so, for programs.
   */
  readonly stateReasonCode?: string;
  /**
   * Whether the newest spec is served. After Failed the one before still is.
   */
  readonly lastUpdateStatus?: 'Successful' | 'InProgress' | 'Failed';
  /**
   * Why the last update is so, for people.
   */
  readonly lastUpdateStatusReason?: string;
  /**
   * Why the last update is so, for programs.
   */
  readonly lastUpdateStatusReasonCode?: string;
  /**
   * Name of the FunctionVersion that $LATEST means.
   */
  readonly latestVersion?: string;
  /**
   * SHA-256 of the zip, or of the image's manifest, in base64.
   */
  readonly codeSha256?: string;
  /**
   * Size of the zip, bytes.
   */
  readonly codeSizeBytes?: number;
  /**
   * When what $LATEST means was changed last.
   */
  readonly lastModified?: string;
  /**
   * Function URL, when spec.http is set.
   */
  readonly url?: string;
  /**
   * Execution environments that exist now.
   */
  readonly pods?: number;
  /**
   * Label selector of these pods.
   */
  readonly selector?: string;
  readonly provisioned?: FunctionStatusProvisioned;
  /**
   * Observations by type. Ready is the sum of the others.
   */
  readonly conditions?: readonly Condition[];
}
/**
 * Provisioned concurrency of $LATEST, versions and aliases together; absent when none is asked for. What runs, what an account has left and what was refused are metrics of the gateways.
 */
export interface FunctionStatusProvisioned {
  /**
   * Execution environments that are asked for.
   */
  readonly requested: number;
  /**
   * Of these, those that are initialized.
   */
  readonly ready: number;
}
