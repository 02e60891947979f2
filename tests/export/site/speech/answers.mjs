// Asks front ends. On stdin a list of {how, files: {json, tensors}, asked: [[text, options], ...]},
// the tensors in base64; on stdout for each a list of {frames, lengths, ...} or {error}, and where
// there is no front end {error} alone. Errors of other types than the site's own end the script.
const site = process.argv[2];
const { loadFrontEnd } = await import(`${site}/speech/load.js`);
const { WavestepError } = await import(`${site}/speech/errors.js`);

let input = "";
for await (const piece of process.stdin.setEncoding("utf8")) input += piece;

const encoded = (array) =>
  Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString("base64");

const ways = {
  text: (json, bytes) => loadFrontEnd(json, bytes),
  object: (json, bytes) => loadFrontEnd(JSON.parse(json), new Uint8Array(bytes).buffer),
  part: (json, bytes) => loadFrontEnd(json, Buffer.concat([Buffer.of(1), bytes]).subarray(1)),
  "without SIMD": (json, bytes) =>
    instead(
      "validate",
      () => false,
      () => loadFrontEnd(json, bytes),
    ),
  "without memory": (json, bytes) => instead("Memory", Full, () => loadFrontEnd(json, bytes)),
};

class Full {
  constructor() {
    throw new RangeError("could not allocate memory");
  }
}

/** What a function gives while WebAssembly has another part. */
function instead(name, part, make) {
  const own = WebAssembly[name];
  WebAssembly[name] = part;
  try {
    return make();
  } finally {
    WebAssembly[name] = own;
  }
}

/** What a function gives, or the line that it raises. */
function told(make) {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof WavestepError)) throw error;
    return { error: error.message };
  }
}

const answers = JSON.parse(input).map(({ how, files, asked }) => {
  const voice = told(() => ways[how](files.json, Buffer.from(files.tensors, "base64")));
  if (voice.error) return voice;
  return asked.map(([text, options]) =>
    told(() => {
      const { frames, lengths, ...rest } = voice.frames(text, options);
      return { ...rest, frames: encoded(frames), lengths: encoded(lengths) };
    }),
  );
});
process.stdout.write(JSON.stringify(answers));
