buildscript {
    repositories {
        google()
        mavenCentral()
    }
    dependencies {
        classpath("org.jetbrains.kotlin:kotlin-gradle-plugin:2.4.20")
    }
}

// It brings Kotlin along since version 9.
plugins {
    id("com.android.application") version "9.4.1" apply false
}
