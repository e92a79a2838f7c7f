import { setCondition } from '@kappa/crds/conditions';
import { type LayerObject, layerObjectName } from '@kappa/crds/layer';
import type { ResolvedCode } from '../function/resolve-code.ts';

/** `status` of a Layer whose contents are `code`. Pure; equal input gives equal output. */
export function makeLayerStatus(
  { metadata, spec, status }: LayerObject,
  code: ResolvedCode,
  nowMs: number,
): NonNullable<LayerObject['status']> {
  const name = layerObjectName(spec.layerName, spec.version);
  const observedGeneration = metadata.generation;
  const verdict =
    code.kind === 'failed'
      ? { status: 'False', reason: code.reason, message: code.message }
      : metadata.name === name
        ? { status: 'True', reason: 'Ready', message: `sha256 ${code.sha256}` }
        : { status: 'False', reason: 'NameMismatch', message: `no function finds it: metadata.name must be ${name}` };
  const { codeSha256, codeSizeBytes } = status ?? {};
  const known =
    code.kind === 'resolved'
      ? { codeSha256: Buffer.from(code.sha256, 'hex').toString('base64'), codeSizeBytes: code.sizeBytes }
      : {
          ...(codeSha256 !== undefined && { codeSha256 }),
          ...(codeSizeBytes !== undefined && { codeSizeBytes }),
        };
  return {
    observedGeneration,
    ...known,
    conditions: setCondition(
      status?.conditions ?? [],
      { type: 'Ready', ...verdict, status: verdict.status === 'True' ? 'True' : 'False', observedGeneration },
      nowMs,
    ),
  };
}
