import type { LayerObject } from './generated/layer.ts';
import { encodeName } from './names.ts';
import { makeParser } from './parser.ts';

export type * from './generated/layer.ts';

/**
 * Reads a Layer from a list, a watch or a manifest; defaults are filled in.
 *
 * @throws ParseError with the path of every wrong field
 */
export const parseLayer: (value: unknown) => LayerObject = makeParser(
  'Layer',
  'kappa.dev/v1alpha1',
  'layer.schema.json',
);

/** What the ARN of a layer says. */
export interface LayerArnParts {
  readonly region: string;
  /** 12 digits. */
  readonly accountId: string;
  readonly layerName: string;
}

/** The same for one version of it. */
export interface LayerVersionArnParts extends LayerArnParts {
  /** From 1. */
  readonly version: number;
}

/** `arn:aws:lambda:REGION:ACCOUNT:layer:NAME`. */
export function layerArn({ region, accountId, layerName }: LayerArnParts): string {
  return `arn:aws:lambda:${region}:${accountId}:layer:${layerName}`;
}

/** `arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION`. */
export function layerVersionArn(parts: LayerVersionArnParts): string {
  return `${layerArn(parts)}:${parts.version}`;
}

const arnForm =
  /^arn:aws[a-zA-Z-]*:lambda:(?<region>[a-z0-9-]+):(?<accountId>\d{12}):layer:(?<layerName>[a-zA-Z0-9_-]{1,140})(?::(?<version>\d{1,9}))?$/;

/** Reads the ARN of a layer; `version` is null when it names none. @returns null when it is no such ARN */
export function parseLayerArn(text: string): (LayerArnParts & { readonly version: number | null }) | null {
  const { region, accountId, layerName, version } = arnForm.exec(text)?.groups ?? {};
  if (region === undefined || accountId === undefined || layerName === undefined) return null;
  return { region, accountId, layerName, version: version === undefined ? null : Number(version) };
}

/** Reads the ARN of a version of a layer. @returns null when it is no such ARN */
export function parseLayerVersionArn(text: string): LayerVersionArnParts | null {
  const parts = parseLayerArn(text);
  if (parts === null) return null;
  const { version, ...layer } = parts;
  return version === null || version === 0 ? null : { ...layer, version };
}

/** `metadata.name` of the Layer object of a version: where whoever knows the ARN finds it. */
export function layerObjectName(layerName: string, version: number): string {
  return `${encodeName(layerName)}-v${version}`;
}

/**
 * Whether functions of an account may have the layer version. Fails closed: a permission for an organization is for nobody.
 *
 * @param ownerId the account that the layer belongs to
 */
export function mayUseLayer({ spec }: Pick<LayerObject, 'spec'>, ownerId: string, accountId: string): boolean {
  if (accountId === ownerId) return true;
  return spec.permissions.some(
    ({ principal, organizationId }) => organizationId === undefined && (principal === '*' || principal === accountId),
  );
}
