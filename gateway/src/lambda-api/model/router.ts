import { serializationError } from '../errors.ts';
import { lambdaModel, type Operation } from './model.ts';

/** What a request line means. */
export interface OperationMatch {
  readonly operation: Operation;
  /** Decoded labels of the path by name. */
  readonly labels: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
}

/**
 * Finds the operation of a request. The path is split before it is decoded, so that a label may hold `%2F`; one slash at
 * the end is passed over, as AWS does for older SDKs.
 *
 * @param target request target as it stands in the request line
 * @returns null when no operation has that path with that method: AWS answers that with `unknownOperation()`
 * @throws LambdaError SerializationException when a label does not decode
 */
export function matchOperation(method: string, target: string): OperationMatch | null {
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const parts = path.split('/');
  if (parts.at(-1) === '') parts.pop();
  const labels: string[] = [];
  const node = walk(root, parts, 1, labels);
  const routes = node?.routes.get(method);
  if (routes === undefined) return null;
  const query = new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1));
  const route = routes.find(({ constants }) => constants.every(([name, value]) => query.get(name) === value));
  if (route === undefined) return null;
  const named = route.labelNames.map((name, at) => [name, decode(labels[at] ?? '')] as const);
  return { operation: route.operation, labels: Object.fromEntries(named), query };
}

/** One segment of the paths of all operations. */
interface Node {
  readonly literals: Map<string, Node>;
  label: Node | null;
  /** Operations that end here by method; those with query constants first. */
  readonly routes: Map<string, Route[]>;
}

interface Route {
  readonly operation: Operation;
  readonly labelNames: readonly string[];
  readonly constants: readonly (readonly [name: string, value: string])[];
}

/** A literal segment wins over a label; no path of the model needs both tried. */
function walk(node: Node, parts: readonly string[], at: number, labels: string[]): Node | null {
  const part = parts[at];
  if (part === undefined) return node;
  const literal = node.literals.get(part);
  if (literal !== undefined) return walk(literal, parts, at + 1, labels);
  if (node.label === null || part === '') return null;
  labels.push(part);
  return walk(node.label, parts, at + 1, labels);
}

function decode(label: string): string {
  try {
    return decodeURIComponent(label);
  } catch {
    throw serializationError(`The path is not percent-encoded: ${label.slice(0, 200)}`);
  }
}

function makeTree(operations: Iterable<Operation>): Node {
  const tree = emptyNode();
  for (const operation of operations) {
    const [path = '', query = ''] = operation.path.split('?');
    const parts = path.split('/').slice(1);
    const end = parts.reduce(childOf, tree);
    const labelNames = parts.filter(isLabel).map((part) => part.slice(1, -1));
    const route: Route = { operation, labelNames, constants: [...new URLSearchParams(query)] };
    const routes = [...(end.routes.get(operation.method) ?? []), route];
    end.routes.set(
      operation.method,
      routes.toSorted((a, b) => b.constants.length - a.constants.length),
    );
  }
  return tree;
}

function childOf(node: Node, part: string): Node {
  if (isLabel(part)) {
    node.label ??= emptyNode();
    return node.label;
  }
  const child = node.literals.get(part) ?? emptyNode();
  node.literals.set(part, child);
  return child;
}

function isLabel(part: string): boolean {
  return part.startsWith('{');
}

function emptyNode(): Node {
  return { literals: new Map(), label: null, routes: new Map() };
}

const root = makeTree(lambdaModel.operations.values());
