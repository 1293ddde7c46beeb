package com.google.mediapipe.tasks.audio.core;

public enum RunningMode { AUDIO_CLIPS, AUDIO_STREAM }
