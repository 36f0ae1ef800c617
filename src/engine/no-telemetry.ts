// From 1.29 on ONNX Runtime reports its use to its maker, and leaves files in the temporary folder and the working directory, unless this stands in
// the environment when it loads. Imported before the runtime, and by what starts threads: in a thread the environment is a copy that the runtime does
// not see. Who wants the reports sets it to 0.
process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
