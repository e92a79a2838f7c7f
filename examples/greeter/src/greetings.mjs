const greetings = new Map([
  ['de', 'Guten Tag'],
  ['en', 'Hello'],
  ['es', 'Hola'],
  ['fr', 'Bonjour'],
  ['ja', 'こんにちは'],
]);

/** The greeting in a language (ISO 639-1), or undefined. */
export const greetingIn = (language) => greetings.get(language);
