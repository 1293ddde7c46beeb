package com.google.mediapipe.tasks.audio.audioclassifier;

import android.content.Context;
import com.google.mediapipe.tasks.audio.core.RunningMode;
import com.google.mediapipe.tasks.components.containers.AudioData;
import com.google.mediapipe.tasks.core.BaseOptions;

public final class AudioClassifier implements AutoCloseable {
    public static AudioClassifier createFromOptions(Context context, AudioClassifierOptions options) { return null; }
    public AudioClassifierResult classify(AudioData audioClip) { return null; }
    @Override public void close() {}
    public abstract static class AudioClassifierOptions {
        public static Builder builder() { return null; }
        public abstract static class Builder {
            public abstract Builder setBaseOptions(BaseOptions baseOptions);
            public abstract Builder setRunningMode(RunningMode runningMode);
            public final AudioClassifierOptions build() { return null; }
        }
    }
}
