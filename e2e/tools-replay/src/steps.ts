import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** What JSON can say. */
export type Value = unknown;
/** By name. */
export type Values = Readonly<Record<string, Value>>;

/** One call of a tool. What each field means stands in README.md. */
export interface Step {
  /** `service.Operation`. */
  readonly call: string;
  readonly with?: Values;
  readonly reads?: Readonly<Record<string, string>>;
  readonly expects?: Values;
  readonly retryOn?: readonly string[];
  readonly fineOn?: readonly string[];
  readonly absentOn?: readonly string[];
  readonly absentWithout?: string;
  readonly untilAbsentOn?: readonly string[];
  readonly waits?: { readonly path: string; readonly while: readonly Value[]; readonly until: readonly Value[] };
  readonly if?: readonly string[];
}

/** A resource of Terraform. */
export interface Resource {
  /** `type.name`. */
  readonly address: string;
  readonly set: Values;
  readonly change?: Values;
  readonly replacedBy?: readonly string[];
  readonly sets?: readonly string[];
  readonly create: readonly Step[];
  readonly read: readonly Step[];
  readonly update?: readonly Step[];
  readonly delete: readonly Step[];
}

/** What Terraform does. */
export interface Terraform {
  readonly provider: readonly Step[];
  readonly resources: readonly Resource[];
}

/** What a tool without a state of its own does. */
export interface Flows {
  readonly before: readonly Step[];
  readonly flows: readonly { readonly name: string; readonly steps: readonly Step[] }[];
}

/** Reads a file of this folder. It is part of the test: what is wrong in it fails where it is used. */
export function readTool<Tool extends Terraform | Flows>(name: 'terraform' | 'sam' | 'cdk'): Tool {
  return parse(readFileSync(new URL(`../${name}.yaml`, import.meta.url), 'utf8')) as Tool;
}
