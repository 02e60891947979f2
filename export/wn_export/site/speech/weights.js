// @ts-check
/** The networks of a voice from the arrays of its file, each array checked against the spec. */

import { ConvNet } from "./conv_net.js";
import { WavestepError, quoted } from "./errors.js";
import { Products } from "./products.js";
import { networks } from "./spec.js";

/**
 * @typedef {import("./spec.js").SpeechSpec} SpeechSpec
 * @typedef {import("./safetensors.js").Tensor} Tensor
 * @typedef {{net: ConvNet, mean: Float32Array, scale: Float32Array}} Predictor
 *   a network, and the units of what it predicts
 */

/**
 * @param {SpeechSpec} spec
 * @param {ReadonlyMap<string, Tensor>} tensors
 * @param {string} where names the file in messages
 * @returns {Record<string, Predictor>}
 * @throws {WavestepError} for an array that is missing, of another shape, or holds no numbers
 */
export function predictors(spec, tensors, where) {
  const { channels, layers, width } = spec;
  const stages = Object.entries(networks(spec)).map(([part, { inputs, outputs }]) => ({
    part,
    outputs,
    input: { name: `${part}.input`, shape: [inputs, channels] },
    layers: Array.from({ length: layers }, (_, i) => ({
      name: `${part}.${i}`,
      shape: [width, channels, channels],
    })),
    output: { name: `${part}.output`, shape: [channels, outputs] },
  }));
  const all = stages.flatMap((stage) => [stage.input, ...stage.layers, stage.output]);
  const strides = [channels, ...stages.map((stage) => stage.input.shape[0])];
  const products = new Products(
    all.map(({ shape }) => flat(shape)),
    Math.max(...strides),
  );
  const affine = (/** @type {{name: string, shape: number[]}} */ { name, shape }) => {
    const [inputs, outputs] = flat(shape);
    const weight = matrix(tensors, `${name}.weight`, shape, where);
    return {
      matrix: products.matrix(weight, inputs, outputs),
      bias: vector(tensors, `${name}.bias`, [outputs], where),
    };
  };
  return Object.fromEntries(
    stages.map(({ part, outputs, input, layers: some, output }) => [
      part,
      {
        net: new ConvNet(products, affine(input), some.map(affine), affine(output), width),
        mean: vector(tensors, `${part}.mean`, [outputs], where),
        scale: vector(tensors, `${part}.scale`, [outputs], where),
      },
    ]),
  );
}

/**
 * All inputs of a weight, taps and channels, and its outputs.
 * @param {number[]} shape
 * @returns {[number, number]}
 */
function flat(shape) {
  const outputs = shape[shape.length - 1];
  return [shape.reduce((product, size) => product * size, 1) / outputs, outputs];
}

/**
 * A weight as float32; one of eight bits has a scale for each output beside it.
 * @param {ReadonlyMap<string, Tensor>} tensors
 * @param {string} name
 * @param {number[]} shape
 * @param {string} where
 */
function matrix(tensors, name, shape, where) {
  const { data } = tensor(tensors, name, shape, where);
  if (data instanceof Float32Array) return finite(data, name, where);
  const scale = vector(tensors, `${name}.scale`, shape.slice(-1), where);
  const weights = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) weights[i] = data[i] * scale[i % scale.length];
  return weights;
}

/**
 * @param {ReadonlyMap<string, Tensor>} tensors
 * @param {string} name
 * @param {number[]} shape
 * @param {string} where
 */
function vector(tensors, name, shape, where) {
  const { data } = tensor(tensors, name, shape, where);
  return finite(new Float32Array(data), name, where);
}

/**
 * @param {ReadonlyMap<string, Tensor>} tensors
 * @param {string} name
 * @param {number[]} shape
 * @param {string} where
 */
function tensor(tensors, name, shape, where) {
  const found = tensors.get(name);
  if (!found)
    throw new WavestepError(`${where}: ${quoted(name)} is missing; export the site again`);
  if (`${found.shape}` !== `${shape}`) {
    const both = `(${found.shape.join(", ")}), the spec asks for (${shape.join(", ")})`;
    throw new WavestepError(`${where}: ${quoted(name)} is ${both}; export the site again`);
  }
  return found;
}

/**
 * @param {Float32Array} data
 * @param {string} name
 * @param {string} where
 */
function finite(data, name, where) {
  if (data.every(Number.isFinite)) return data;
  throw new WavestepError(`${where}: ${quoted(name)} holds NaN or infinity; export the site again`);
}
