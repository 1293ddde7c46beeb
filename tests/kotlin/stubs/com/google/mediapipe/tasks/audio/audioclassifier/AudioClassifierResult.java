package com.google.mediapipe.tasks.audio.audioclassifier;

import com.google.mediapipe.tasks.components.containers.ClassificationResult;
import java.util.List;

public abstract class AudioClassifierResult {
    public abstract List<ClassificationResult> classificationResults();
}
