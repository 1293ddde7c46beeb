package android.widget;

import android.content.Context;
import android.view.View;

public class TextView extends View {
    public TextView(Context context) {}
    public CharSequence getText() { return null; }
    public final void setText(CharSequence text) {}
    public float getTextSize() { return 0; }
    public void setTextSize(float size) {}
}
