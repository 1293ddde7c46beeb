package android.view;

public class View {
    public boolean getFitsSystemWindows() { return false; }
    public void setFitsSystemWindows(boolean fitSystemWindows) {}
}
