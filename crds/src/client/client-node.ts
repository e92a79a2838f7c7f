/** What is used of client-node, by name, so that a bundle has that and not all of it. */
export { KubeConfig } from '@kubernetes/client-node';
