import { functions } from '@kappa/crds/client/kinds';
import type { TestApi } from '../testing-call.ts';
import { addPermission, getPolicy, removePermission } from './permissions.ts';

/** The operations on the policy of the function `f`, with what a test does not say. */
export function policyCalls(api: () => TestApi) {
  const add = async (input: object, qualifier: string | null = null) => {
    const all = { StatementId: 's', Action: 'lambda:InvokeFunction', Principal: '*', ...input };
    const { Statement = '' } = await addPermission(
      api().call({ FunctionName: 'f', ...all }, 'f', qualifier),
      api().deps,
    );
    return JSON.parse(Statement);
  };
  const remove = (StatementId: string, qualifier: string | null = null, more: object = {}) =>
    removePermission(api().call({ FunctionName: 'f', StatementId, ...more }, 'f', qualifier), api().deps);
  const get = async (qualifier: string | null = null) => {
    const { Policy = '', RevisionId } = await getPolicy(api().call({ FunctionName: 'f' }, 'f', qualifier), api().deps);
    return { policy: JSON.parse(Policy), RevisionId };
  };
  const sids = async (qualifier: string | null = null): Promise<string[]> =>
    (await get(qualifier)).policy.Statement.map(({ Sid }: { Sid: string }) => Sid);
  const stored = async () => (await api().kubernetes.get(functions, 'default', 'f')).spec.permissions;
  return { add, remove, get, sids, stored };
}

/** What a call is refused with: `Code: text`. */
export const refusal = async (doing: Promise<unknown>): Promise<string> =>
  doing.then(
    () => 'not refused',
    (err: unknown) => `${Object(err).code}: ${Object(err).message}`,
  );
