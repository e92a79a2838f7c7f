/** A resource that stores nothing: a question (review) or a part of another object with verbs of its own. */
export interface ExtraResource {
  readonly group: string;
  readonly version: string;
  /** `selfsubjectreviews`, `pods/log`. */
  readonly name: string;
  readonly kind: string;
  /** Group and version of `kind` when they are not the resource's own. */
  readonly kindGroup?: string;
  readonly kindVersion?: string;
  readonly isNamespaced: boolean;
  readonly verbs: readonly string[];
}

const core = { group: '', version: 'v1', isNamespaced: true };
const authorization = { group: 'authorization.k8s.io', version: 'v1', isNamespaced: false, verbs: ['create'] };
const authentication = { group: 'authentication.k8s.io', version: 'v1', isNamespaced: false, verbs: ['create'] };

/** What discovery shows beside the stored resources. */
export const extraResources: readonly ExtraResource[] = [
  { ...core, name: 'pods/log', kind: 'Pod', verbs: ['get'] },
  { ...core, name: 'pods/binding', kind: 'Binding', verbs: ['create'] },
  { ...core, name: 'pods/eviction', kind: 'Eviction', kindGroup: 'policy', kindVersion: 'v1', verbs: ['create'] },
  {
    ...core,
    name: 'serviceaccounts/token',
    kind: 'TokenRequest',
    kindGroup: 'authentication.k8s.io',
    kindVersion: 'v1',
    verbs: ['create'],
  },
  { ...authentication, name: 'selfsubjectreviews', kind: 'SelfSubjectReview' },
  { ...authentication, name: 'tokenreviews', kind: 'TokenReview' },
  { ...authorization, name: 'selfsubjectaccessreviews', kind: 'SelfSubjectAccessReview' },
  { ...authorization, name: 'selfsubjectrulesreviews', kind: 'SelfSubjectRulesReview' },
  { ...authorization, name: 'subjectaccessreviews', kind: 'SubjectAccessReview' },
  { ...authorization, name: 'localsubjectaccessreviews', kind: 'LocalSubjectAccessReview', isNamespaced: true },
];
