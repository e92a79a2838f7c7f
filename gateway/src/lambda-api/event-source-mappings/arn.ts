/** What the ARN of an event source mapping says. */
export interface MappingReference {
  readonly region: string;
  readonly accountId: string;
  /** In lower case. */
  readonly uuid: string;
}

const mappingArn = /^arn:aws[a-zA-Z-]*:lambda:([a-z0-9-]+):(\d{12}):event-source-mapping:([0-9a-fA-F-]{36})$/;

/** @returns null for the ARN of something else */
export function parseMappingArn(text: string): MappingReference | null {
  const [, region, accountId, uuid] = mappingArn.exec(text) ?? [];
  if (region === undefined || accountId === undefined || uuid === undefined) return null;
  return { region, accountId, uuid: uuid.toLowerCase() };
}
