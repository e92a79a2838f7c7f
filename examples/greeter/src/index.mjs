import { greetingIn } from './greetings.mjs';

export const handler = async (event) => {
  const { language = 'en', name = 'world' } = event.queryStringParameters ?? {};
  const greeting = greetingIn(language);
  if (greeting === undefined) return { statusCode: 404, body: `no greeting in ${language}` };
  return { statusCode: 200, body: `${greeting}, ${name}!` };
};
