import { lambdaModel, type OperationName } from './model/model.ts';
import { operations } from './operations.ts';

/** Where an operation that is supported differs from AWS. What is not listed is not known to. */
const deviations: Readonly<Partial<Record<OperationName, string>>> = {
  CreateFunction:
    'Zip packages for Node.js and Python on x86_64. S3Bucket and S3Key name buckets that the install allows the namespace (code.md). VpcConfig, KMSKeyArn, TracingConfig, FileSystemConfigs, SnapStart, EphemeralStorage and DeadLetterConfig are kept and answered, without effect; tenants, durable and managed functions are refused. Images of any registry that the install can pull from (container-images.md); in local mode such a function is Failed. Publish with an image waits until it has started, for 30 s.',
  UpdateFunctionConfiguration: 'As CreateFunction. Variables that refer to Secrets (kubectl) stay.',
  UpdateFunctionCode:
    'The same zip again changes nothing: no InProgress, the same RevisionId. The same ImageUri again looks its tag up again. DryRun does not ask the registry.',
  DeleteFunction: '204.',
  GetFunction: 'RevisionId changes with the spec alone. Variables that refer to Secrets are not shown.',
  Invoke: 'Event needs a store for events (docs/events.md): local mode has one; in a cluster it is Redis.',
  InvokeAsync: 'As Invoke with InvocationType Event.',
  InvokeWithResponseStream:
    'Nothing is slowed down after the first 6 MB; KAPPA_STREAM_MAX_BYTES of the gateway bounds an answer (20 MiB). A pod that is lost in the middle: InvokeComplete with ErrorCode ServiceException.',
  AddLayerVersionPermission: 'There are no organizations: a statement with OrganizationId grants nothing to anybody.',
  ListLayers: 'One namespace of the account.',
  ListFunctions: 'One namespace of the account. A Marker is good for some minutes.',
  CreateAlias: 'Weights are whole percents.',
  UpdateAlias: 'Weights are whole percents.',
  PublishVersion: 'A version is Active at once.',
  AddPermission:
    'Principals are not looked up. There are no organizations: a statement with PrincipalOrgID grants nothing to anybody. SourceArn has at most 2,048 characters.',
  GetPolicy:
    'RevisionId is that of the function, whatever the qualifier. What auth None of a manifest grants is shown, with Sids that begin with kappa-.',
  RemovePermission: 'What a manifest grants can only be changed there.',
  PutResourcePolicy:
    'Statements that allow, each with one Action, one Principal and the conditions that AddPermission has; all others are refused. Of functions, versions and aliases.',
  GetResourcePolicy: 'As GetPolicy.',
  DeleteResourcePolicy: 'What a manifest grants can only be changed there.',
  CreateFunctionUrlConfig:
    'FunctionUrl is an address of the install, and the same for a function that is deleted and made again.',
  UpdateFunctionUrlConfig: 'AuthType NONE leaves auth None of a manifest as it is.',
  CreateEventSourceMapping:
    'The source is not looked for: the mapping is made, and StateTransitionReason and LastProcessingResult say what stands in the way (docs/event-sources.md). The same UUID is not given twice.',
  GetEventSourceMapping: 'As CreateEventSourceMapping.',
  UpdateEventSourceMapping: 'As CreateEventSourceMapping.',
  DeleteEventSourceMapping: 'It is gone at once; batches that run then end by themselves.',
  ListEventSourceMappings: 'One namespace of the account; pages of at most 50.',
  PutFunctionEventInvokeConfig:
    'Of destinations only functions have to be there, in the same account; the others are told where AWS_ENDPOINT_URL_… says (docs/events.md).',
  UpdateFunctionEventInvokeConfig: 'As PutFunctionEventInvokeConfig.',
  PutProvisionedConcurrencyConfig:
    'A pod that calls have started counts, too; AWS_LAMBDA_INITIALIZATION_TYPE says of each what it was started for. Of $LATEST: spec.concurrency.provisioned of the Function, by kubectl.',
  PutFunctionRecursionConfig: 'Loops through function URLs are noticed, too, when the code hands the trace id on.',
  PutRuntimeManagementConfig:
    'Kept and answered, for $LATEST and each version: runtimes change with the images of the install, by its operator.',
  GetRuntimeManagementConfig: 'As PutRuntimeManagementConfig.',
  GetCodeSigningConfig: 'There are none: ResourceNotFoundException.',
  UpdateCodeSigningConfig: 'There are none: ResourceNotFoundException.',
  DeleteCodeSigningConfig: 'There are none: ResourceNotFoundException.',
  ListFunctionsByCodeSigningConfig: 'There are none: ResourceNotFoundException.',
  ListCodeSigningConfigs: 'Always empty.',
  PutFunctionCodeSigningConfig: 'There are none: CodeSigningConfigNotFoundException.',
  GetFunctionCodeSigningConfig: 'Always empty: no function has one.',
  DeleteFunctionCodeSigningConfig: 'Changes nothing: no function has one.',
  TagResource: 'Functions and event source mappings.',
  UntagResource: 'Functions and event source mappings.',
  ListTags: 'Functions and event source mappings.',
  GetAccountSettings:
    'The limit on code storage is told, not enforced; TotalCodeSize is that of functions, without layers.',
};

/** The page docs/lambda-compatibility.md: every operation of the model, what becomes of it, and where it differs from AWS. */
export function compatibilityPage(): string {
  const names = [...lambdaModel.operations.keys()].sort();
  const rows = names.map((name) => {
    const entry = operations[name];
    const note = entry.status === 'unsupported' ? sentence(entry.reason) : (deviations[name] ?? '–');
    return `| ${name} | ${entry.status} | ${note} |`;
  });
  return [
    '# The Lambda API, operation by operation',
    '',
    '<!-- Generated from gateway/src/lambda-api/operations.ts by gateway/src/lambda-api/write-compatibility.ts. Do not edit: run make generate. -->',
    '',
    '`supported`: it has effect. `stored`: what it sets is kept and answered, without effect. `unsupported`: it is refused with',
    '`NotImplementedException` (501), which SDKs do not try again.',
    '',
    '| operation | status | where it differs from AWS |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
