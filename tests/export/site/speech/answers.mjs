// Asks a front end. On stdin {how, files: {json, tensors}, asked: [[text, options], ...]}, the
// tensors in base64; on stdout for each {frames, lengths, ...} or {error}, and where there is no
// front end {error} alone. Errors of other types than the site's own end the script.
const site = process.argv[2];
const { fetchFrontEnd, loadFrontEnd } = await import(`${site}/speech/load.js`);
const { WavestepError } = await import(`${site}/speech/errors.js`);

let input = "";
for await (const piece of process.stdin.setEncoding("utf8")) input += piece;
const { how, files, asked } = JSON.parse(input);

const encoded = (array) =>
  Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString("base64");
const bytes = () => Buffer.from(files.tensors, "base64");
const ways = {
  text: () => loadFrontEnd(files.json, bytes()),
  object: () => loadFrontEnd(JSON.parse(files.json), new Uint8Array(bytes()).buffer),
  part: () => loadFrontEnd(files.json, Buffer.concat([Buffer.of(1), bytes()]).subarray(1)),
  fetched: () => fetchFrontEnd(files.folder),
  "without SIMD": () => {
    WebAssembly.validate = () => false;
    return loadFrontEnd(files.json, bytes());
  },
  "without memory": () => {
    WebAssembly.Memory = class {
      constructor() {
        throw new RangeError("could not allocate memory");
      }
    };
    return loadFrontEnd(files.json, bytes());
  },
};

/** What a function gives, or the line that it raises. */
async function told(make) {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof WavestepError)) throw error;
    return { error: error.message };
  }
}

const voice = await told(ways[how]);
const answers = [];
for (const [text, options] of voice.error ? [] : asked) {
  answers.push(
    await told(() => {
      const { frames, lengths, ...rest } = voice.frames(text, options);
      return { ...rest, frames: encoded(frames), lengths: encoded(lengths) };
    }),
  );
}
process.stdout.write(JSON.stringify(voice.error ? voice : answers));
