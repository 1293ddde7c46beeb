package android.app;

import android.content.Context;
import android.os.Bundle;
import android.view.View;

public class Activity extends Context {
    protected void onCreate(Bundle savedInstanceState) {}
    protected void onResume() {}
    protected void onPause() {}
    public void setContentView(View view) {}
    public final void requestPermissions(String[] permissions, int requestCode) {}
    public final void runOnUiThread(Runnable action) {}
}
