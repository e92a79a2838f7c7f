/** What is used of undici, which is loaded late: 8 MB that an install without images and without code.url does not need. */
export { Agent, request } from 'undici';
