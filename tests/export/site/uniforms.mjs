// Draws uniforms. On stdin a list of {seed, stream, position, counts}, the seed a text of digits or
// a number; on stdout for each all that was drawn in pieces of these counts and where that ended,
// or {error}.
const site = process.argv[2];
const { UniformStream } = await import(`${site}/uniforms.js`);
const { WavestepError } = await import(`${site}/speech/errors.js`);

let input = "";
for await (const piece of process.stdin.setEncoding("utf8")) input += piece;

const answers = JSON.parse(input).map(({ seed, stream, position, counts }) => {
  try {
    const given = typeof seed === "string" ? BigInt(seed) : seed;
    const uniforms = new UniformStream(given, stream, position);
    const drawn = counts.flatMap((count) => [...uniforms.draw(count)]);
    return { drawn, position: uniforms.position };
  } catch (error) {
    if (!(error instanceof WavestepError)) throw error;
    return { error: error.message };
  }
});
process.stdout.write(JSON.stringify(answers));
