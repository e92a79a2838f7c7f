import type { CreateFunctionRequest, UpdateFunctionConfigurationRequest } from '@aws-sdk/client-lambda';
import type { FunctionObject } from '@kappa/crds/function';
import { memoryMaxMiB, timeoutMaxSeconds } from '@kappa/crds/limits';

import { InvalidParameterValue } from '../../errors.ts';
import { codeSigningConfigNotFound } from '../code-signing/code-signing.ts';
import { validationError, violation } from '../errors.ts';
import { checkDeprecated } from './deprecated-runtimes.ts';
import { environmentEntries } from './environment.ts';
import { imageConfigOf, isImage } from './image.ts';

type FunctionSpec = FunctionObject['spec'];
type Runtime = NonNullable<FunctionSpec['runtime']>;

/** The members of CreateFunction and UpdateFunctionConfiguration that say how a function is run. */
export type SettingsInput = Partial<Omit<CreateFunctionRequest, 'FunctionName' | 'Code' | 'Tags' | 'Publish'>> &
  Partial<Omit<UpdateFunctionConfigurationRequest, 'FunctionName' | 'RevisionId'>>;

/** What is kept as it came and answered, and changes nothing. */
export const keptMembers = ['VpcConfig', 'KMSKeyArn', 'TracingConfig', 'FileSystemConfigs', 'SnapStart'] as const;

/** Members that ask for what this install cannot do: keeping them quietly would be a lie. */
const unsupported: readonly (readonly [member: string, what: string])[] = [
  ['DurableConfig', 'Durable functions'],
  ['TenancyConfig', 'Tenant isolation'],
  ['CapacityProviderConfig', 'Capacity providers'],
  ['AcceleratorConfig', 'Accelerators'],
  ['RuntimeConfig', 'Customer-managed runtimes'],
  ['PublishTo', 'Publishing to $LATEST.PUBLISHED'],
];

/**
 * The spec with what the request says; what it does not mention stays.
 *
 * @param before the spec so far; of a new function what it starts with
 * @throws LambdaError for what Lambda or this install refuses
 */
export function withSettings<Spec extends FunctionSpec>(before: Spec, input: SettingsInput): Spec {
  checkSettings(input, before);
  return {
    ...before,
    ...programOf(input),
    ...(input.Role !== undefined && { role: input.Role }),
    ...(input.Description !== undefined && { description: input.Description }),
    ...(input.Timeout !== undefined && { timeoutSeconds: input.Timeout }),
    ...(input.MemorySize !== undefined && { memoryMiB: input.MemorySize }),
    ...(input.Architectures !== undefined && { architectures: input.Architectures }),
    ...(input.EphemeralStorage?.Size !== undefined && { ephemeralStorageMiB: input.EphemeralStorage.Size }),
    ...(input.Environment !== undefined && {
      environment: environmentEntries(input.Environment.Variables ?? {}, before.environment),
    }),
    ...(input.LoggingConfig !== undefined && { logging: loggingOf(before.logging, input.LoggingConfig) }),
    ...(input.DeadLetterConfig !== undefined && { deadLetterTarget: input.DeadLetterConfig.TargetArn ?? '' }),
    ...keptOf(before.compatibility ?? {}, input),
  };
}

/** What the code is run with. */
function programOf({ Layers, Runtime, Handler, ImageConfig }: SettingsInput): Partial<FunctionSpec> {
  return {
    ...(Layers !== undefined && { layers: Layers }),
    ...(Runtime !== undefined && { runtime: runtimeOf(Runtime) }),
    ...(Handler !== undefined && { handler: Handler }),
    ...(ImageConfig !== undefined && { imageConfig: imageConfigOf(ImageConfig) }),
  };
}

function checkSettings(input: SettingsInput, before: FunctionSpec): void {
  const asked = new Map(Object.entries(input));
  for (const [member, what] of unsupported)
    if (asked.get(member) !== undefined)
      throw new InvalidParameterValue(`${what} (${member}) are not supported by this install.`);
  if (input.Architectures?.some((architecture) => architecture !== 'x86_64'))
    throw new InvalidParameterValue('This install runs functions on x86_64 only.');
  checkRange(input.Timeout, 'timeout', timeoutMaxSeconds);
  checkRange(input.MemorySize, 'memorySize', memoryMaxMiB);
  checkRange(input.EphemeralStorage?.Size, 'ephemeralStorage.size', 10_240);
  if (input.PackageType === 'Image' || isImage(before)) checkImage(input);
  else checkZip(input, before.runtime ?? '');
  if (input.CodeSigningConfigArn !== undefined) throw codeSigningConfigNotFound(input.CodeSigningConfigArn);
}

/** @throws InvalidParameterValue for what an image brings itself */
function checkImage({ Runtime, Handler, Layers }: SettingsInput): void {
  if (Runtime !== undefined || Handler !== undefined)
    throw new InvalidParameterValue(
      'Runtime and Handler are not supported for functions created with container images.',
    );
  if (Layers !== undefined && Layers.length > 0)
    throw new InvalidParameterValue('Layers are not supported for functions created with container images.');
}

/** @param before runtime of the function so far; empty = it is new */
function checkZip(input: SettingsInput, before: string): void {
  if (input.ImageConfig !== undefined)
    throw new InvalidParameterValue('ImageConfig is not supported for functions created with deployment packages.');
  const wanted = input.Runtime ?? before;
  checkDeprecated(before, wanted);
  checkSnapStart(wanted, input);
}

/** Runtimes of this install that Lambda takes snapshots of. */
const withSnapshots: ReadonlySet<string> = new Set([
  'python3.12',
  'python3.13',
  'python3.14',
  'java17',
  'java21',
  'java25',
  'dotnet8',
  'dotnet10',
]);

/** Nothing is snapshot here, and that is kept; but what Lambda refuses is refused. */
function checkSnapStart(runtime: string, { SnapStart: snapStart }: SettingsInput): void {
  if (snapStart?.ApplyOn !== 'PublishedVersions' || withSnapshots.has(runtime)) return;
  throw new InvalidParameterValue(`${runtime} is not supported for SnapStart enabled functions.`);
}

/** The model has the bounds of all kinds of functions together; these are those of the usual kind. */
function checkRange(value: number | undefined, path: string, max: number): void {
  if (value === undefined || value <= max) return;
  throw validationError([violation(String(value), path, `Member must have value less than or equal to ${max}`)]);
}

const runtimes: ReadonlySet<string> = new Set<Runtime>([
  'nodejs20.x',
  'nodejs22.x',
  'nodejs24.x',
  'nodejs26.x',
  'python3.9',
  'python3.10',
  'python3.11',
  'python3.12',
  'python3.13',
  'python3.14',
  'provided',
  'provided.al2',
  'provided.al2023',
  'ruby3.2',
  'ruby3.3',
  'ruby3.4',
  'java17',
  'java21',
  'java25',
  'dotnet8',
  'dotnet10',
]);

function isRuntime(name: string): name is Runtime {
  return runtimes.has(name);
}

function runtimeOf(name: string): Runtime {
  if (isRuntime(name)) return name;
  throw new InvalidParameterValue(
    `The runtime ${name} is not supported by this install. It has: ${[...runtimes].join(', ')}.`,
  );
}

/** @throws InvalidParameterValue for levels of a text log */
function loggingOf(
  before: FunctionSpec['logging'],
  { LogFormat, ApplicationLogLevel, SystemLogLevel }: NonNullable<SettingsInput['LoggingConfig']>,
): FunctionSpec['logging'] {
  const format = LogFormat ?? before.format;
  if (format === 'Text') {
    if (ApplicationLogLevel === undefined && SystemLogLevel === undefined) return { format };
    throw new InvalidParameterValue('ApplicationLogLevel and SystemLogLevel need LogFormat JSON.');
  }
  return {
    ...before,
    format,
    ...(ApplicationLogLevel !== undefined && { applicationLevel: ApplicationLogLevel }),
    ...(SystemLogLevel !== undefined && { systemLevel: SystemLogLevel }),
  };
}

/** The kept members as JSON text; an empty one is forgotten. */
function keptOf(before: Readonly<Record<string, string>>, input: SettingsInput): Pick<FunctionSpec, 'compatibility'> {
  const {
    LogFormat: _format,
    ApplicationLogLevel: _lines,
    SystemLogLevel: _events,
    ...logging
  } = input.LoggingConfig ?? {};
  const asked = new Map<string, unknown>(keptMembers.map((member) => [member, input[member]]));
  if (input.LoggingConfig !== undefined) asked.set('LoggingConfig', logging);
  const kept = new Map(Object.entries(before));
  for (const [member, value] of asked) {
    if (value === undefined) continue;
    if (isNothing(value)) kept.delete(member);
    else kept.set(member, JSON.stringify(value));
  }
  return kept.size === 0 && Object.keys(before).length === 0 ? {} : { compatibility: Object.fromEntries(kept) };
}

function isNothing(value: unknown): boolean {
  if (value === null || value === '') return true;
  return typeof value === 'object' && Object.values(value).every((part) => isNothing(part));
}
