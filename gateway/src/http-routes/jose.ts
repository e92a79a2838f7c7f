/** What is used of jose where it is loaded late, by name. */
export { createLocalJWKSet, errors, jwtVerify } from 'jose';
