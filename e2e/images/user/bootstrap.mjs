/** A runtime client of a few lines, as a user's image brings one. */
const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;
const [file, name] = process.env._HANDLER.split('.');
const { [name]: handler } = await import(`${process.env.LAMBDA_TASK_ROOT}/${file}.mjs`);

for (;;) {
  const next = await fetch(`${api}/invocation/next`);
  const id = next.headers.get('lambda-runtime-aws-request-id');
  const event = await next.json();
  try {
    const body = JSON.stringify(await handler(event));
    await fetch(`${api}/invocation/${id}/response`, { method: 'POST', body });
  } catch (error) {
    const body = JSON.stringify({ errorType: error.name, errorMessage: error.message });
    await fetch(`${api}/invocation/${id}/error`, { method: 'POST', body });
  }
}
