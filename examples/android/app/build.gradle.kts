plugins {
    id("com.android.application")
}

android {
    namespace = "com.example.earproof"
    compileSdk = 37

    defaultConfig {
        applicationId = "com.example.earproof"
        minSdk = 24 // MediaPipe's; LiteRT asks for 23
        targetSdk = 36
        versionCode = 1
        versionName = "1.0"
        testInstrumentationRunner = "androidx.test.runner.AndroidJUnitRunner"
    }

    androidResources {
        noCompress += "tflite" // so that LiteRT maps it from the package
    }
}

dependencies {
    // An app needs one of these two.
    implementation("com.google.mediapipe:tasks-audio:1.0.0")
    implementation("com.google.ai.edge.litert:litert:2.3.0")
    androidTestImplementation("androidx.test.ext:junit:1.3.0")
    androidTestImplementation("androidx.test:runner:1.7.0")
}
