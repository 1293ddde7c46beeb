package com.google.ai.edge.litert;

public final class TensorBuffer implements AutoCloseable {
    public void writeFloat(float[] data) {}
    public float[] readFloat() { return null; }
    @Override public void close() {}
}
