import type { PatternSegment } from './route-path.ts';

/**
 * Routes of one address, by the segments of their paths. Looked at in the order literal, `{x}`, `{proxy+}`, so the first that answers the
 * method is the most specific one; a path that does not answer the method is left for a less specific one, as with API Gateway. Each node
 * belongs to one depth, so a look visits each at most once.
 */
export class RouteTree<Route> {
  readonly #root: Node<Route> = makeNode();

  /** Takes a place for the route. @returns whose place it is already, or null when it is this one's now */
  add(pattern: readonly PatternSegment[], method: string, route: Route): Route | null {
    let node = this.#root;
    let methods = node.own;
    for (const segment of pattern) {
      if (segment.kind === 'greedy') {
        methods = node.greedy;
        break;
      }
      node = segment.kind === 'literal' ? literalOf(node, segment.text) : paramOf(node);
      methods = node.own;
    }
    const holder = methods.get(method);
    if (holder !== undefined) return holder;
    methods.set(method, route);
    return null;
  }

  /** @param segments see readPath */
  find(segments: readonly string[], method: string): Found<Route> | null {
    return find(this.#root, segments, 0, method);
  }
}

/** A route, and as which of its methods it answers: the request's, or ANY. */
export interface Found<Route> {
  readonly route: Route;
  readonly method: string;
}

interface Node<Route> {
  readonly literals: Map<string, Node<Route>>;
  param: Node<Route> | null;
  /** By method: of paths that end here. */
  readonly own: Map<string, Route>;
  /** By method: of paths whose `{proxy+}` begins here. */
  readonly greedy: Map<string, Route>;
}

function makeNode<Route>(): Node<Route> {
  return { literals: new Map(), param: null, own: new Map(), greedy: new Map() };
}

function literalOf<Route>(node: Node<Route>, text: string): Node<Route> {
  const child = node.literals.get(text) ?? makeNode<Route>();
  node.literals.set(text, child);
  return child;
}

function paramOf<Route>(node: Node<Route>): Node<Route> {
  node.param ??= makeNode<Route>();
  return node.param;
}

function find<Route>(node: Node<Route>, segments: readonly string[], at: number, method: string): Found<Route> | null {
  const text = segments[at];
  if (text === undefined) return pick(node.own, method);
  const literal = node.literals.get(text);
  return (
    (literal === undefined ? null : find(literal, segments, at + 1, method)) ??
    (node.param === null ? null : find(node.param, segments, at + 1, method)) ??
    pick(node.greedy, method)
  );
}

function pick<Route>(methods: ReadonlyMap<string, Route>, method: string): Found<Route> | null {
  const own = methods.get(method);
  if (own !== undefined) return { route: own, method };
  const any = methods.get('ANY');
  return any === undefined ? null : { route: any, method: 'ANY' };
}
