package com.google.ai.edge.litert;

import android.content.res.AssetManager;
import java.util.List;

public final class CompiledModel implements AutoCloseable {
    public static CompiledModel create(AssetManager assetManager, String assetName, Options options) { return null; }
    public List<TensorBuffer> createInputBuffers() { return null; }
    public List<TensorBuffer> createOutputBuffers() { return null; }
    public void run(List<TensorBuffer> inputs, List<TensorBuffer> outputs) {}
    @Override public void close() {}
    public static final class Options {
        public Options(Accelerator... accelerators) {}
    }
}
